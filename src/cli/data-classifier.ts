// cria data classifier: a linear classifier is learned from texts of several labels, which the step classifier asks; its probabilities are calibrated.
import { dirname } from "node:path";
import { check, Rng, UsageError } from "../base/index.ts";
import {
  type Calibration,
  calibrated,
  FastTextClassifier,
  FastTextTrainer,
  fitCalibration,
  type Quality,
  qualityOf,
  type TrainedFastText,
  type Verdict,
  writeFastText,
} from "../fasttext/index.ts";
import { atomicWrite, atomicWriteJson, makeFolder } from "../files/index.ts";
import type { Command, CommandIo, Flags } from "./command.ts";
import { numberFlag, required, stringFlag, wholeFlag } from "./flag-values.ts";
import { openAndTell, textFlags, textOptions } from "./text-flags.ts";

const where = "data classifier";

/** Texts of a label that are held out for calibration at most: memory holds them. */
const mostHeldOut = 10_000;

/** The command `cria data classifier`. */
export const classifierCommand: Command = {
  name: "classifier",
  summary: "learn to tell texts apart, such as reference pages from random ones, for the step classifier, in fastText's form",
  usage: "--out FILE.bin LABEL=TEXT LABEL=TEXT...",
  flags: [
    {
      name: "out",
      type: "string",
      required: true,
      help: "the model to write; its calibration is written beside it, with .calibration.json behind its name",
    },
    {
      name: "held-out",
      type: "number",
      help: `the share of the texts that calibrates the probabilities instead of being learned from, at most ${mostHeldOut} of a label (0.1 unless given)`,
    },
    { name: "dim", type: "number", help: "numbers of a row (16 unless given)" },
    { name: "epochs", type: "number", help: "passes over the texts (5 unless given)" },
    { name: "lr", type: "number", help: "the learning rate at the beginning (0.1 unless given)" },
    { name: "word-ngrams", type: "number", help: "words of the longest n-grams of words (2 unless given)" },
    { name: "characters", type: "string", value: "N-M", help: "n-grams in words of so many characters, such as 2-4 (none unless given)" },
    { name: "buckets", type: "number", help: "buckets that n-grams are hashed to (1000000 unless given)" },
    { name: "min-count", type: "number", help: "words that are rarer have no row of their own (1 unless given)" },
    { name: "seed", type: "number", help: "the seed of the rows, of the order of the texts, and of what is held out (0 unless given)" },
    ...textFlags,
  ],
  async run(args, flags, io) {
    const out = required(stringFlag(flags, "out"), where, "out");
    const seed = wholeFlag(flags, where, "seed", 0) ?? 0;
    const trainer = new FastTextTrainer(trainerOptions(flags, seed));
    const heldOut = await readTexts(sourcesOf(args), { trainer, flags, seed }, io);
    const trained = await trainer.train({ progress: io.progress, signal: io.signal });
    const found = calibrate(trained, heldOut);
    await makeFolder(dirname(out), where);
    await atomicWrite(out, writeFastText(trained), where);
    await atomicWriteJson(`${out}.calibration.json`, { labels: found }, where);
    const { words } = trained.model;
    const report = {
      out,
      texts: trained.model.labelCounts.reduce((sum, count) => sum + count, 0),
      words: words.length,
      heldOut: heldOut.length,
    };
    io.stdout(io.json ? `${JSON.stringify({ ...report, labels: found })}\n` : told(report, found));
    return 0;
  },
};

function trainerOptions(flags: Flags, seed: number) {
  const whole = { dim: "dim", epoch: "epochs", wordNgrams: "word-ngrams", bucket: "buckets", minCount: "min-count" };
  const given = Object.entries(whole).flatMap(([key, flag]) => {
    const value = wholeFlag(flags, where, flag);
    return value === undefined ? [] : [[key, value]];
  });
  const [lr, range] = [numberFlag(flags, "lr"), stringFlag(flags, "characters")];
  const [, minn, maxn] = range === undefined ? [] : (/^(\d+)-(\d+)$/.exec(range) ?? []);
  if (range !== undefined && maxn === undefined) throw new UsageError(where, `--characters is ${range} but must be a range such as 2-4`);
  return {
    seed,
    ...Object.fromEntries(given),
    ...(lr !== undefined && { lr }),
    ...(range !== undefined && { minn: Number(minn), maxn: Number(maxn) }),
  };
}

/** The paths of each label, in the order in which labels came. */
function sourcesOf(args: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const sources = new Map<string, string[]>();
  for (const arg of args) {
    const at = arg.indexOf("=");
    if (at < 1 || at === arg.length - 1)
      throw new UsageError(where, `"${arg}" is no LABEL=TEXT: name a label and a file, folder or pattern of its texts`);
    const label = arg.slice(0, at);
    sources.set(label, [...(sources.get(label) ?? []), arg.slice(at + 1)]);
  }
  if (sources.size < 2)
    throw new UsageError(where, `there are texts of ${sources.size} labels, but two or more are told apart: name LABEL=TEXT for each`);
  return sources;
}

interface HeldOut {
  readonly label: string;
  readonly text: string;
}

interface Reading {
  readonly trainer: FastTextTrainer;
  readonly flags: Flags;
  readonly seed: number;
}

/** Gives texts to the trainer. @returns those that are held out */
async function readTexts(
  sources: ReadonlyMap<string, readonly string[]>,
  { trainer, flags, seed }: Reading,
  io: CommandIo,
): Promise<readonly HeldOut[]> {
  const share = numberFlag(flags, "held-out") ?? 0.1;
  if (!(share > 0 && share < 1)) throw new UsageError(where, `--held-out is ${share} but must be above 0 and below 1`);
  const all: HeldOut[] = [];
  for (const [label, paths] of sources) {
    const rng = new Rng(seed).fork(label);
    const heldOut: HeldOut[] = [];
    await using texts = await openAndTell(paths, textOptions(flags, where), io, where);
    for await (const text of texts.documents({ signal: io.signal })) {
      if (rng.uniform() < share && heldOut.length < mostHeldOut) heldOut.push({ label, text });
      else trainer.add(label, text);
    }
    check(
      heldOut.length > 0,
      where,
      () =>
        `no text of "${label}" is held out: give more texts (a plain file is one, unless --separator blank-lines cuts it), or hold more out`,
    );
    all.push(...heldOut);
  }
  return all;
}

/** The calibration of a label, and how good its probabilities are on the held-out texts, before and after. */
interface CalibratedLabel extends Calibration {
  readonly before: Quality;
  readonly after: Quality;
}

function calibrate({ model }: TrainedFastText, heldOut: readonly HeldOut[]): Readonly<Record<string, CalibratedLabel>> {
  const classifier = new FastTextClassifier(model);
  const said = heldOut.map(({ label, text }) => ({ label, probabilities: classifier.probabilities(text) }));
  const rows = classifier.labels.map((name, place) => {
    const verdicts = said.map(({ label, probabilities }): Verdict => ({ probability: probabilities?.[place] ?? 0, isSo: label === name }));
    const calibration = fitCalibration(verdicts);
    const after = verdicts.map(({ probability, isSo }) => ({ probability: calibrated(probability, calibration), isSo }));
    return [name, { ...calibration, before: qualityOf(verdicts), after: qualityOf(after) }] as const;
  });
  return Object.fromEntries(rows);
}

function told(
  { out, texts, words, heldOut }: { readonly out: string; readonly texts: number; readonly words: number; readonly heldOut: number },
  labels: Readonly<Record<string, CalibratedLabel>>,
): string {
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const rows = Object.entries(labels).map(
    ([label, { before, after }]) =>
      `  ${label}: ${percent(after.accuracy)} right; calibration error ${percent(before.calibrationError)}, calibrated ${percent(after.calibrationError)}\n`,
  );
  return `${out}: learned from ${texts} texts of ${words} different words, calibrated on ${heldOut} others\n${rows.join("")}`;
}
