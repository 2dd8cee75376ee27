// PyPI's langdetect beside our language identification on lingua's sentences: another model, so that shares are compared and not labels. Skipped where a
// Python (CRIA_PYTHON) with it, the classifier (CRIA_LID) or the sentences (test/public-texts.helper.mjs) are absent.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { presetSteps, presets } from "../dist/clean/index.js";
import { FastTextClassifier, readFastText } from "../dist/fasttext/index.js";
import { publicData, pythonWith, runGolden, sentences } from "./public-texts.helper.mjs";

const model = process.env.CRIA_LID;
const python = model === undefined || publicData("langid/lingua") === undefined ? undefined : pythonWith("langdetect");
/** The paper's Wikipedias that langdetect knows, and CJK. */
const languages = "bg ca cs da de en es fr hr hu it nl pl pt ro ru sl sv uk zh ja ko".split(" ");

/** What langdetect says of each line: the language and its probability. */
function langdetect(lines) {
  const folder = mkdtempSync(join(tmpdir(), "cria-langdetect-"));
  try {
    const path = join(folder, "lines.txt");
    writeFileSync(path, lines.map((line) => `${line}\n`).join(""));
    return runGolden(python, "judge_languages.py", path)
      .split("\n")
      .map((line) => ({ label: line.split(" ")[0], score: Number(line.split(" ")[1] ?? 0) }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test.skipIf(python === undefined)("both models know the languages of most sentences", () => {
  const texts = sentences()
    .filter(({ language }) => languages.includes(language))
    .flatMap(({ language, lines }) => lines.slice(0, 200).map((line) => ({ language, line })));
  const theirs = langdetect(texts.map(({ line }) => line));
  const classifier = new FastTextClassifier(readFastText(model, readFileSync(model)));
  const counts = new Map(languages.map((language) => [language, { sentences: 0, ours: 0, theirs: 0, same: 0 }]));
  for (const [i, { language, line }] of texts.entries()) {
    const [ours, other] = [classifier.classify(line)[0]?.label, theirs[i].label.replace(/-.*/, "")];
    const count = counts.get(language);
    count.sentences++;
    if (ours === language) count.ours++;
    if (other === language) count.theirs++;
    if (ours === other) count.same++;
  }
  console.table(Object.fromEntries(counts));
  const sum = (key) => [...counts.values()].reduce((total, count) => total + count[key], 0) / texts.length;
  console.log(`right: ours ${sum("ours").toFixed(4)}, langdetect ${sum("theirs").toFixed(4)}; the same: ${sum("same").toFixed(4)}`);
  expect(sum("ours")).toBeGreaterThan(0.9);
  expect(sum("same")).toBeGreaterThan(0.9);
});

test.skipIf(python === undefined)("the preset c4 keeps the English texts that its generator keeps, which asks langdetect for 0.99", () => {
  const [{ language }] = presetSteps(presets.find(({ name }) => name === "c4")).filter((entry) => entry.language !== undefined);
  const texts = sentences()
    .filter((one) => languages.includes(one.language))
    .flatMap(({ language, lines }) =>
      Array.from({ length: language === "en" ? 40 : 10 }, (_, i) => ({ language, text: lines.slice(5 * i, 5 * i + 5).join(" ") })),
    );
  const theirs = langdetect(texts.map(({ text }) => text));
  const classifier = new FastTextClassifier(readFastText(model, readFileSync(model)));
  const kept = (least) =>
    texts.map(({ text }) => {
      const [first] = classifier.classify(text);
      return first?.label === "en" && first.probability >= least;
    });
  const [ours, strict] = [kept(language.minScore), kept(0.99)];
  const wanted = theirs.map(({ label, score }) => label === "en" && score >= 0.99);
  const same = (one) => one.filter((is, i) => is === wanted[i]).length / texts.length;
  const count = (one) => one.filter(Boolean).length;
  console.log(`of ${texts.length} texts langdetect keeps ${count(wanted)}, fastText ${count(ours)}; with 0.99 ${count(strict)}`);
  expect(same(ours)).toBeGreaterThan(0.995);
  expect(count(strict)).toBeLessThan(count(wanted) / 2);
});
