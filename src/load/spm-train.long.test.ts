// SentencePiece's own trainers as the judges of training: Debian's `spm_train` (0.1.97), and 0.2.3 or newer of PyPI in the Python that CRIA_PYTHON names,
// else python3. With LLaMA's settings, three corpora and three sizes give the same pieces, ids and scores.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TrainingMode, trainTokenizer } from "../tokenizer/index.ts";
import { openAnyTokenizer } from "./index.ts";
import { sharedData } from "./shared-data.test.helper.ts";
import { type SpmCorpora, spmCorpora } from "./spm-corpora.test.helper.ts";

const texts = sharedData("text");
const python = process.env.CRIA_PYTHON ?? "python3";
/** The release from which on the trainer has no cache of active pairs. */
const asksForRelease = "import sentencepiece; assert tuple(map(int, sentencepiece.__version__.split('.')[:3])) >= (0, 2, 3)";

interface Trainer {
  readonly mode: TrainingMode;
  readonly isHere: boolean;
  readonly command: string;
  /** Arguments in front of the settings. */
  readonly args: readonly string[];
}

const script = "import sys, sentencepiece; sentencepiece.SentencePieceTrainer.Train(' '.join(sys.argv[1:]))";
const trainers: readonly Trainer[] = [
  { mode: "spm-0.1.97", isHere: spawnSync("spm_train", ["--help"]).error === undefined, command: "spm_train", args: [] },
  { mode: "spm", isHere: spawnSync(python, ["-c", asksForRelease]).status === 0, command: python, args: ["-c", script] },
];

let folder = "";
let corpora: SpmCorpora | undefined;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "cria-spm-train-"));
  if (texts === undefined) return;
  corpora = spmCorpora(join(texts, ".."));
  for (const [name, text] of Object.entries(corpora)) writeFileSync(join(folder, `${name}.txt`), text);
});

afterAll(() => rmSync(folder, { recursive: true }));

const cases = trainers.flatMap((trainer) =>
  (["english", "mixture", "code"] as const).flatMap((corpus) => [1000, 8000, 32_000].map((size) => ({ ...trainer, corpus, size }))),
);

for (const { mode, isHere, command, args, corpus, size } of cases)
  test.skipIf(!isHere || texts === undefined)(`${mode}, ${corpus}, ${size} pieces, by ${command}`, { timeout: 3_600_000 }, async () => {
    // The 1,000 most frequent characters of the mixture would fill the smallest vocabulary.
    const characterCoverage = corpus === "mixture" && size === 1000 ? 0.98 : 0.99995;
    const prefix = join(folder, `${mode}-${corpus}-${size}`);
    const settings = {
      ...{ input: join(folder, `${corpus}.txt`), model_prefix: prefix, model_type: "bpe", vocab_size: size, minloglevel: 2 },
      ...{ byte_fallback: true, split_digits: true, allow_whitespace_only_pieces: true, character_coverage: characterCoverage },
      ...{ normalization_rule_name: "identity", remove_extra_whitespaces: false },
    };
    const flags = Object.entries(settings).map(([name, value]) => `--${name}=${value}`);
    expect(spawnSync(command, [...args, ...flags], { stdio: "ignore" }).status).toBe(0);
    const theirs = (await openAnyTokenizer(`${prefix}.model`)).model;
    const ours = await trainTokenizer([corpora?.[corpus] ?? ""], { kind: "sentencepiece", mode, vocabSize: size, characterCoverage });
    expect(ours.pieces).toEqual(theirs.pieces);
    expect("scores" in ours && ours.scores).toEqual("scores" in theirs && theirs.scores);
  });
