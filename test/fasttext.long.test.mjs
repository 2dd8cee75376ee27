// Debian's fasttext run live: the language of lingua's sentences by the same model file (CRIA_LID names it: lid.176.ftz or .bin), and classifiers trained by
// both with the same options. Skipped where the program, the model or the sentences (test/public-texts.helper.mjs) are absent.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { FastTextClassifier, FastTextTrainer, readFastText, writeFastText } from "../dist/fasttext/index.js";
import { publicData, sentences } from "./public-texts.helper.mjs";

const isHere = spawnSync("fasttext", []).error === undefined && publicData("langid/lingua") !== undefined;
const model = process.env.CRIA_LID;
const folder = mkdtempSync(join(tmpdir(), "cria-fasttext-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The first label and its probability for each line, as fasttext says. */
function predicted(path, lines) {
  const { stdout, status } = spawnSync("fasttext", ["predict-prob", path, "-", "1"], {
    input: `${lines.join("\n")}\n`,
    maxBuffer: 2 ** 30,
  });
  expect(status).toBe(0);
  return stdout
    .toString()
    .trimEnd()
    .split("\n")
    .map((line) => ({ label: line.split(" ")[0].slice("__label__".length), probability: Number(line.split(" ")[1]) }));
}

test.skipIf(!isHere || model === undefined)("languages of sentences and of whole texts are fasttext's", () => {
  const classifier = new FastTextClassifier(readFastText(model, readFileSync(model)));
  const lines = sentences().flatMap(({ lines }) => [...lines.slice(0, 600), lines.slice(600, 700).join(" ")]);
  const theirs = predicted(model, lines);
  expect(theirs.length).toBe(lines.length);
  let [same, near] = [0, 0];
  for (const [i, line] of lines.entries()) {
    const [ours] = classifier.classify(line);
    if (ours?.label !== theirs[i].label) continue;
    same++;
    if (Math.abs(ours.probability - theirs[i].probability) < 0.002) near++;
  }
  console.log(`${lines.length} texts: the same label for ${same}, its probability within 0.002 for ${near}`);
  expect(same / lines.length).toBeGreaterThanOrEqual(0.999);
  expect(near / lines.length).toBeGreaterThanOrEqual(0.999);
});

const settings = [
  { name: "n-grams of characters", dim: 16, epoch: 5, lr: 0.5, wordNgrams: 1, minn: 2, maxn: 4, bucket: 100_000 },
  { name: "n-grams of words", dim: 16, epoch: 10, lr: 0.5, wordNgrams: 2, minn: 0, maxn: 0, bucket: 100_000 },
];
const languages = "bg ca cs da de en es fr hr hu it nl pl pt ro ru sl sr sv uk".split(" ");

test.skipIf(!isHere).each(settings)("a classifier by $name is as good as fasttext's, which reads it", async ({ name: _, ...options }) => {
  const texts = sentences().filter(({ language }) => languages.includes(language));
  const labelled = texts.flatMap(({ language, lines }) => lines.map((line, i) => ({ label: language, line, isHeldOut: i % 5 === 4 })));
  expect(labelled.length).toBeGreaterThan(10_000);
  // The order has no meaning, because fasttext goes through its file as it stands.
  labelled.sort((a, b) => (a.line < b.line ? -1 : 1));
  const [training, heldOut] = [labelled.filter(({ isHeldOut }) => !isHeldOut), labelled.filter(({ isHeldOut }) => isHeldOut)];
  const trainer = new FastTextTrainer(options);
  for (const { label, line } of training) trainer.add(label, line);
  const trained = await trainer.train();
  const classifier = new FastTextClassifier(trained.model);
  const [input, own, theirs] = ["train.txt", "own.bin", "theirs"].map((file) => join(folder, file));
  writeFileSync(own, Buffer.concat(writeFastText(trained)));
  writeFileSync(input, training.map(({ label, line }) => `__label__${label} ${line}\n`).join(""));
  const flags = Object.entries(options).flatMap(([key, value]) => [`-${key}`, String(value)]);
  const made = spawnSync("fasttext", ["supervised", "-input", input, "-output", theirs, ...flags, "-thread", "1", "-loss", "softmax"]);
  expect(made.status).toBe(0);
  const lines = heldOut.map(({ line }) => line);
  const share = (labels) => labels.filter((label, i) => label === heldOut[i].label).length / labels.length;
  const ours = lines.map((line) => classifier.classify(line)[0]?.label);
  const [ourShare, theirShare] = [share(ours), share(predicted(`${theirs}.bin`, lines).map(({ label }) => label))];
  console.log(`held-out sentences right: ${ourShare.toFixed(4)}, fasttext ${theirShare.toFixed(4)}`);
  expect(ourShare).toBeGreaterThan(theirShare - 0.01);
  expect(predicted(own, lines).map(({ label }) => label)).toEqual(ours);
});
