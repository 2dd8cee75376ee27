// Runs that end while their folder is being made, and what the next command makes of them.
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { bury, watchFiles } from "../files/crash.test.helper.ts";
import { commandRows } from "./commands.ts";
import { runWords } from "./terminal.test.helper.ts";

const fixture = fileURLToPath(new URL("../../test/fixtures/2026-11-28", import.meta.url));

/** A folder with data, a tokenizer and a recipe of two short steps; gone with the scope. */
export async function openKitchen() {
  const root = await mkdtemp(join(tmpdir(), "cria-cut-"));
  for (const name of ["data", "sentencepiece.json"]) await cp(join(fixture, name), join(root, name), { recursive: true });
  const recipe = (await readFile(join(fixture, "run", "train.yaml"), "utf8"))
    .replace("../data", "data")
    .replace("tokenizer.json", "sentencepiece.json")
    .replace("steps: 40", "steps: 2")
    .replace("warmupSteps: 2", "warmupSteps: 1");
  await writeFile(join(root, "recipe.yaml"), recipe);
  return {
    root,
    out: join(root, "run"),
    words: ["train", join(root, "recipe.yaml"), "--out", join(root, "run")],
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
}

/**
 * Cuts a run off at every `stride`-th thing that it does to the file system until its first checkpoint; then the same command, and --resume, must
 * bring about what a run does that is not cut off.
 * @param isWhole whether runs go to their end, with a report, and from every state in both ways; else they are stopped after their first step, when
 * they save, and the two ways take turns
 * @returns how many different states of the folder were gone on from
 */
export async function cutEverywhere(stride: number, isWhole: boolean): Promise<number> {
  const run = (line: readonly string[]) => runWords(line, commandRows, isWhole ? {} : afterOneStep());
  await using kitchen = await openKitchen();
  const { out, words, root } = kitchen;
  expect(await run(words)).toMatchObject({ code: 0 });
  const whole = await namesIn(out);
  const seen = new Set<string>();
  for (let crashAt = 0; ; crashAt += stride) {
    await rm(out, { recursive: true, force: true });
    await watchFiles(() => run(words), crashAt);
    const left = await describeFolder(out);
    if (left.includes("checkpoints")) return seen.size;
    if (seen.has(left)) continue;
    seen.add(left);
    await bury(out);
    const copy = join(root, "copy");
    await cp(out, copy, { recursive: true }).catch(() => mkdir(copy));
    const ways = [
      { line: words, folder: out },
      { line: [...words.slice(0, -1), copy, "--resume"], folder: copy },
    ].filter((_, i) => isWhole || i === seen.size % 2);
    for (const { line, folder } of ways) {
      expect({ ...(await run(line)), left }).toMatchObject({ code: 0 });
      expect(await namesIn(folder), left).toEqual(whole);
    }
    await rm(copy, { recursive: true });
  }
}

/** Stops a training run as Ctrl-C does, when its first step is done. */
function afterOneStep() {
  const stop = new AbortController();
  const progress = ({ task, done }: { task: string; done: number }) => {
    if (task === "training" && done === 1) stop.abort();
  };
  return { signal: stop.signal, progress };
}

async function namesIn(folder: string): Promise<string[]> {
  return (await readdir(folder, { recursive: true }).catch(() => [])).sort();
}

/** Its files and their sizes, without the numbers of processes. */
async function describeFolder(folder: string): Promise<string> {
  const rows = (await namesIn(folder)).map(
    async (name) => `${name.replace(/\.\d+-.*\.partial/, ".partial")} ${(await stat(join(folder, name))).size}`,
  );
  return (await Promise.all(rows)).join("\n");
}
