// PyPI's langdetect beside our language identification on lingua's sentences: another model, so that shares are compared and not labels. Skipped where a
// Python (CRIA_PYTHON) with it, the classifier (CRIA_LID) or the sentences (test/public-texts.helper.mjs) are absent.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { FastTextClassifier, readFastText } from "../dist/fasttext/index.js";
import { publicData, pythonWith, runGolden, sentences } from "./public-texts.helper.mjs";

const model = process.env.CRIA_LID;
const python = model === undefined || publicData("langid/lingua") === undefined ? undefined : pythonWith("langdetect");
/** The paper's Wikipedias that langdetect knows, and CJK. */
const languages = "bg ca cs da de en es fr hr hu it nl pl pt ro ru sl sv uk zh ja ko".split(" ");

test.skipIf(python === undefined)("both models know the languages of most sentences", () => {
  const folder = mkdtempSync(join(tmpdir(), "cria-langdetect-"));
  try {
    const texts = sentences()
      .filter(({ language }) => languages.includes(language))
      .flatMap(({ language, lines }) => lines.slice(0, 200).map((line) => ({ language, line })));
    const path = join(folder, "lines.txt");
    writeFileSync(path, texts.map(({ line }) => `${line}\n`).join(""));
    const theirs = runGolden(python, "judge_languages.py", path).split("\n");
    const classifier = new FastTextClassifier(readFastText(model, readFileSync(model)));
    const counts = new Map(languages.map((language) => [language, { sentences: 0, ours: 0, theirs: 0, same: 0 }]));
    for (const [i, { language, line }] of texts.entries()) {
      const [ours, other] = [classifier.classify(line)[0]?.label, theirs[i].replace(/-.*/, "")];
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
  } finally {
    rmSync(folder, { recursive: true });
  }
});
