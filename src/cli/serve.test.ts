import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { folderForAll, writeTinyFolder } from "../load/tiny-model.test.helper.ts";
import { commandRows } from "./commands.ts";
import { runWords } from "./terminal.test.helper.ts";

const made = folderForAll(writeTinyFolder);
let folder: string;
beforeAll(() => {
  folder = made();
});

let child: ChildProcess | undefined;
afterEach(() => void child?.kill("SIGKILL"));

/** Starts the program and waits until it says where it listens. */
async function start(...words: string[]) {
  const main = fileURLToPath(new URL("./main.js", import.meta.url));
  const process_ = spawn(process.execPath, [main, "serve", ...words, "--port", "0"], { stdio: ["ignore", "pipe", "pipe"] });
  child = process_;
  let [said, log] = ["", ""];
  process_.stderr.on("data", (chunk) => {
    log += chunk;
  });
  for await (const chunk of process_.stdout) {
    said += chunk;
    if (said.includes("\n")) break;
  }
  const exit = once(process_, "exit").then(([code]) => code as number | null);
  return { process: process_, url: /http\S+(?=\/v1)/.exec(said)?.[0] ?? "", said, log: () => log, exit };
}

function ask(url: string, body: object): Promise<Response> {
  return fetch(`${url}/v1/completions`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
}

describe("cria serve", () => {
  test("a signal lets it answer what was asked, and then it ends", async () => {
    const { process: server, url, said, log, exit } = await start(`small=${folder}`, "--cache", "f16");
    expect(said).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v1 serves small\b/);
    const response = await ask(url, { model: "small", prompt: "ab", max_tokens: 25, stream: true, logit_bias: { 260: 100 } });
    expect(response.status).toBe(200);
    server.kill("SIGTERM");
    expect(await response.text()).toContain("data: [DONE]");
    expect(await exit).toBe(143);
    expect(log()).toContain("small loaded");
    expect(log()).toMatch(/POST \/v1\/completions 200 .* 25 written/);
    expect(log()).toContain("small unloaded");
    await expect(ask(url, {})).rejects.toThrow();
  });

  test("what cannot be served is an error before anything listens", async () => {
    const keys = join(folder, "keys.txt");
    await writeFile(keys, "# none\n\n");
    for (const [words, code, message] of [
      [[], 2, "MODEL is missing"],
      [[folder, "--host", "0.0.0.0"], 2, "--host is 0.0.0.0, which other machines reach: give --api-key or --api-key-file, or --no-auth"],
      [[folder, "--api-key-file", keys], 1, "has no key"],
      [[folder, "--api-key-file", join(folder, "missing")], 1, "missing"],
      [[folder, "--tls-cert", keys], 2, "--tls-cert and --tls-key belong together"],
      [[folder, "--tls-cert", keys, "--tls-key", keys, "--port", "0"], 1, "no pair in PEM"],
      [[folder, "--max-body", "-1"], 2, "--max-body is -1"],
      [[folder, "--keep-alive", "0"], 2, "--keep-alive is 0 but must be above 0"],
      [[folder, "--port", "70000"], 2, "--port is 70000 but must be at most 65535"],
      [[join(folder, "nothing")], 1, "nothing"],
      [[`a=${folder}`, `a=${folder}`, "--port", "0"], 1, 'two models are called "a"'],
    ] as const)
      expect(await runWords(["serve", ...words], commandRows), words.join(" ")).toMatchObject({
        code,
        stderr: expect.stringContaining(message),
      });
  });
});
