// Ctrl-C at any moment, once or twice: a command ends soon, and what stands under a real name is whole.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { PreparedData } from "../corpus/index.ts";
import { openAnyTokenizer } from "../load/index.ts";
import { writeTinyFolder } from "../load/tiny-model.test.helper.ts";

const main = fileURLToPath(new URL("./main.js", import.meta.url));
let folder: string;
const at = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-stopping-"));
  await writeTinyFolder(folder);
  const rng = new Rng(1);
  const word = () => Array.from({ length: 1 + rng.below(8) }, () => "abcdefghij"[rng.below(10)]).join("");
  await writeFile(at("text.txt"), Array.from({ length: 20_000 }, () => Array.from({ length: 20 }, word).join(" ")).join("\n\n"));
  await writeFile(at("data.yaml"), "sources: [{ name: a, paths: text.txt, separator: blank-lines, weight: 1 }]\n");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Job {
  readonly name: string;
  readonly words: (round: number) => readonly string[];
  /** Throws when something is there and not whole. */
  readonly look?: (round: number) => Promise<unknown>;
}

const jobs: readonly Job[] = [
  {
    name: "tokenizer train",
    words: (round) => ["tokenizer", "train", "--kind", "bytes", "--vocab-size", "3000", "--out", at(`t${round}.json`), at("text.txt")],
    look: async (round) => existsSync(at(`t${round}.json`)) && openAnyTokenizer(at(`t${round}.json`)),
  },
  {
    name: "data prepare",
    words: (round) => ["data", "prepare", at("data.yaml"), "--tokenizer", at("tokenizer.json"), "--out", at(`data${round}`)],
    look: async (round) => existsSync(at(`data${round}`)) && (await PreparedData.open(at(`data${round}`))).close(),
  },
  { name: "generate", words: () => ["generate", folder, "ab a", "--max-tokens", "20"] },
  { name: "tokenizer inspect", words: () => ["tokenizer", "inspect", at("tokenizer.json"), "--text", at("text.txt")] },
];

test.each(jobs)("$name", async ({ words, look }) => {
  const rng = new Rng(7);
  for (let round = 0; round < 12; round++) {
    const child = spawn(process.execPath, [main, ...words(round)], { stdio: ["ignore", "ignore", "pipe"] });
    let stderr = "";
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    const ended = new Promise<number | null>((done) => child.on("close", done));
    setTimeout(() => child.kill("SIGINT"), 200 + rng.below(4000));
    const isTwice = round % 2 === 1;
    if (isTwice) setTimeout(() => child.kill("SIGINT"), 5000);
    const code = await ended;
    expect({ code, stderr }).toEqual({ code: expect.toSatisfy((one) => [0, 130, null].includes(one)), stderr: expect.any(String) });
    expect(stderr).not.toContain("this is a bug");
    await look?.(round);
  }
  const left = (await readdir(folder)).filter((one) => one.endsWith(".partial"));
  expect(left.length).toBeLessThanOrEqual(6); // only those of second presses
});
