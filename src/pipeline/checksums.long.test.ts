// A changed bit in a file of each kind and phase of a work folder: whoever reads it says which one it is, and without the file that the message names the same
// bytes are made. Bytes of all stretches of each kind are in checksums.test.ts.
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { byteTokenizer } from "../batches/byte-tokenizer.test.helper.ts";
import { parseDataRecipe } from "../corpus/index.ts";
import { withFolder } from "../files/with-folder.test.helper.ts";
import { prepareRecipe } from "./index.ts";

const words = "llama water hill stone grass night morning shepherd".split(" ");
const arpa = [
  ...["\\data\\", `ngram 1=${words.length + 3}`, "\\1-grams:", "-3\t<unk>", "-2\t<s>", "-0.5\t</s>"],
  ...words.map((word, i) => `${(-0.3 * (i + 1)).toFixed(2)}\t${word}`),
  ...["\\end\\", ""],
].join("\n");

const recipe = parseDataRecipe({
  sources: [
    {
      name: "web",
      paths: "*.jsonl",
      steps: [{ dedupLines: { keep: "first" } }, "dedupNear", { perplexity: { model: "m.arpa", cutoffs: "sampled", share: 1 } }],
    },
  ],
  heldOut: 0.1,
});

/** The phases in their order, each with the folder that its tasks write to. */
const phases = ["pass-0", "compare-0", "pass-1", "compare-1", "join-1", "pass-2", "summarise-2", "pass-3"];

async function writeTexts(folder: string): Promise<void> {
  const rng = new Rng(61);
  const line = () => Array.from({ length: 9 }, () => words[rng.below(words.length)]).join(" ");
  const texts: string[] = [];
  while (texts.length < 40) texts.push(texts.length % 3 === 2 ? `${texts.at(-1)}\n${line()}` : `${line()}\n${line()}\n${line()}`);
  await writeFile(join(folder, "m.arpa"), arpa);
  await writeFile(join(folder, "a.jsonl"), texts.map((text) => `${JSON.stringify({ text })}\n`).join(""));
}

async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .sort();
}

/** All files under a folder with their contents, but for times. */
async function contents(folder: string): Promise<Record<string, string>> {
  const paths = (await filesUnder(folder)).filter((path) => !path.endsWith(".times.json"));
  return Object.fromEntries(await Promise.all(paths.map(async (path) => [path, await readFile(path, "base64")])));
}

test("a changed bit in any kind of intermediate file is named with the way out, which leads to the same bytes", async () => {
  await withFolder(async (folder) => {
    await writeTexts(folder);
    const [work, out] = [join(folder, "work"), join(folder, "out")];
    const prepared = async () => {
      await rm(out, { recursive: true, force: true });
      await prepareRecipe(recipe, byteTokenizer, out, { folder, work, stretchBytes: 3000, threads: 1 });
    };
    await prepared();
    const whole = await contents(folder);
    // One file of each kind and phase, but for the plan.
    const all = (await filesUnder(work)).filter((path) => !path.endsWith("plan.json"));
    const kindOf = (path: string) => path.slice(work.length).replace(/\d{3}\/\d{5}(-\d{5})?|tokens-\w+/g, "");
    const paths = [...new Map(all.map((path) => [kindOf(path), path])).values()];
    expect(paths.length).toBe(24);
    const rng = new Rng(62);
    for (const path of paths) {
      const isTokens = /tokens-\w+/.test(path);
      const phase = isTokens ? phases.length : phases.findIndex((name) => path.includes(`/${name}/`));
      // What was made of the file is made again.
      for (const later of phases.slice(phase + 1)) for (const file of all) if (file.includes(`/${later}/`)) await rm(file);
      if (!isTokens) for (const file of all) if (/tokens-\w+/.test(file)) await rm(file, { force: true });
      const bytes = await readFile(path);
      bytes[rng.below(bytes.length)]! ^= 1 << rng.below(8);
      await writeFile(path, bytes);
      const message = await prepared().then(
        () => "nothing was told",
        ({ message }: Error) => message,
      );
      expect(message).toContain(path);
      const [, named] = /: remove (\S+), and run the command again, which makes it anew$/.exec(message) ?? [];
      await rm(named === "it" ? path : (named ?? `nothing to remove: ${message}`));
      await prepared();
      expect(await contents(folder)).toEqual(whole);
    }
  });
});
