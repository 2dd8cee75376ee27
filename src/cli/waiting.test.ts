// Ctrl-C ends whatever a command waits for, and a special file where a file belongs is refused before anything is waited for.
import { execFileSync, spawn } from "node:child_process";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeTinyFolder } from "../load/tiny-model.test.helper.ts";
import { commandRows } from "./commands.ts";
import { runWords } from "./terminal.test.helper.ts";

const main = fileURLToPath(new URL("./main.js", import.meta.url));
let folder: string;
const at = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-waiting-"));
  if (process.platform === "win32") return;
  await writeTinyFolder(folder);
  execFileSync("mkfifo", [at("fifo"), at("fifo.yaml"), at("fifo.bin")]);
  await symlink("/dev/zero", at("zero"));
  await symlink("/dev/zero", at("zero.yaml"));
  await writeFile(at("text.txt"), "a b");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe.skipIf(process.platform === "win32")("special files", () => {
  test.each([
    ["tokenizer encode @fifo x", "a FIFO"],
    ["tokenizer encode @zero x", "a device"],
    ["train @fifo.yaml", "a FIFO"],
    ["train @zero.yaml", "a device"],
    ["data prepare @zero.yaml --tokenizer @tokenizer.json --out @out", "a device"],
    ["inspect @fifo.bin", "a FIFO"],
    ["generate @ x --tokenizer @zero", "a device"],
    ["tokenizer train --kind word --vocab-size 50 --out @t.json @zero", "a device"],
  ])("%s is refused at once", async (line, kind) => {
    const { code, stderr } = await runWords(
      line.split(" ").map((word) => word.replace(/^@/, `${folder}/`)),
      commandRows,
    );
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(`it is ${kind}, not a file`) });
  });

  test.each([
    ["tokenizer encode @tokenizer.json -", 0],
    ["tokenizer encode @tokenizer.json -", 400],
    ["generate @ -", 400],
    ["tokenizer train --kind word --vocab-size 50 --out @t.json -", 0],
    ["tokenizer train --kind word --vocab-size 50 --out @t.json @fifo", 400],
  ])("Ctrl-C ends the wait of %s, %i ms after it is heard", async (line, milliseconds) => {
    const words = line.split(" ").map((word) => word.replace(/^@/, `${folder}/`));
    const tell = 'data:text/javascript,process.on("newListener", (name) => name === "SIGINT" && console.error("it listens"))';
    const child = spawn(process.execPath, ["--import", tell, main, ...words], { stdio: ["pipe", "ignore", "pipe"] });
    let stderr = "";
    child.stderr.on("data", (chunk) => {
      const listened = stderr.includes("it listens");
      stderr += chunk;
      if (!listened && stderr.includes("it listens")) setTimeout(() => child.kill("SIGINT"), milliseconds);
    });
    const code = await new Promise<number | null>((done) => child.on("close", done));
    expect(code, stderr).toBe(130);
  });
});
