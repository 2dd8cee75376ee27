// A model of a text many times as large as the memory that training may take, and programs that are killed at random moments.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { packageRoot } from "./package-root.ts";

let folder = "";
const inside = (name: string) => join(folder, name);
const megabytes = 30;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-ngrams-long-"));
  const out = createWriteStream(inside("text.txt"));
  const rng = new Rng(1);
  const word = () => Math.floor(2e5 ** rng.uniform()).toString(36);
  for (let bytes = 0; bytes < megabytes * 1e6; ) {
    const lines = `${Array.from({ length: 500 }, () => Array.from({ length: 16 }, word).join(" ")).join("\n")}\n`;
    bytes += lines.length;
    if (!out.write(lines)) await once(out, "drain");
  }
  out.end();
  await once(out, "finish");
}, 600_000);
afterAll(() => rm(folder, { recursive: true }));

/** Starts the command, which says at its end how much memory it took. */
function start(out: string, memory: string) {
  const tell = "data:text/javascript,process.on('exit',()=>console.error('peak',process.resourceUsage().maxRSS*1024))";
  const words = ["data", "ngrams", "--words", "--as-written", "--order", "4", "--prune", "0,0,1", "--memory", memory];
  const main = join(packageRoot, "dist", "cli", "main.js");
  const child = spawn(process.execPath, ["--import", tell, main, ...words, "--out", inside(out), inside("text.txt")]);
  let text = "";
  child.stderr.on("data", (part) => {
    text += String(part);
  });
  return { child, stderr: () => text };
}

/** @returns the most memory that it took, in bytes */
async function trained(out: string, memory: string): Promise<number> {
  const { child, stderr } = start(out, memory);
  const [code] = await once(child, "close");
  expect(code, stderr()).toBe(0);
  return Number(/peak (\d+)/.exec(stderr())?.[1]);
}

const hashOf = async (name: string) =>
  createHash("sha256")
    .update(await readFile(inside(name)))
    .digest("hex");

/** Node itself, the program, what V8 has not collected yet, and the words' texts. */
const besideNgrams = 300e6;

test("30 MB of text take the memory that they are given, and give the same model as with much", async () => {
  const little = await trained("little.ngrams", "16M");
  const much = await trained("much.ngrams", "2G");
  expect(await hashOf("little.ngrams")).toBe(await hashOf("much.ngrams"));
  expect(little).toBeLessThan(16e6 + besideNgrams);
  expect(much).toBeGreaterThan(2 * little);
}, 1_200_000);

test("killed anywhere it leaves no half of a model, and the next one leaves nothing of it", async () => {
  const rng = new Rng(2);
  for (let round = 0; round < 4; round++) {
    const { child } = start("killed.ngrams", "16M");
    const closed = once(child, "close");
    setTimeout(() => child.kill("SIGKILL"), 2000 + rng.below(20_000));
    await closed;
    const names = await readdir(folder);
    if (names.includes("killed.ngrams")) expect(await hashOf("killed.ngrams")).toBe(await hashOf("little.ngrams"));
  }
  await trained("killed.ngrams", "16M");
  expect(await hashOf("killed.ngrams")).toBe(await hashOf("little.ngrams"));
  expect((await readdir(folder)).filter((name) => name.includes("partial"))).toEqual([]);
}, 1_200_000);

test("a stop by the signal of Ctrl-C is heard while n-grams are estimated, and leaves nothing", async () => {
  const { child, stderr } = start("stopped.ngrams", "16M");
  const closed = once(child, "close");
  setTimeout(() => child.kill("SIGINT"), 15_000);
  await closed;
  expect(
    (await readdir(folder)).filter((name) => name.startsWith("stopped")),
    stderr(),
  ).toEqual([]);
}, 300_000);
