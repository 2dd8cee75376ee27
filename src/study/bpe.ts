// Byte-pair encoding: the textbook's algorithm step by step, what a larger vocabulary buys, and what digits as tokens of their own do.
import { CriaError, Rng } from "../base/index.ts";
import { llamaConfig } from "../model/index.ts";
import { createTokenizer, type Tokenizer, trainTokenizer } from "../tokenizer/index.ts";
import { encodeSides, type Sides, splitText } from "./encoded-text.ts";
import { exactAnswers, type Question } from "./exact-answers.ts";
import { divergedRemark, Lab } from "./lab.ts";
import { type Section, type Verdict, verdictOf } from "./report.ts";
import { counted, groupBy, mean, pairedDifference, spread, told } from "./statistics.ts";
import type { Study, StudyContext } from "./study.ts";
import { type BpeStep, textbookBpe } from "./textbook-bpe.ts";
import type { Outcome, Trial } from "./trial.ts";
import { concluded, type Head, inTurn } from "./unfinished.ts";

const sennrich = "Sennrich et al. 2016, arXiv 1508.07909";
const llamaPaper = "Touvron et al. 2023, LLaMA, arXiv 2302.13971, section 2.1";

export const bpeStudy: Study = {
  name: "bpe",
  title: "Byte-pair encoding: merges, vocabulary size, and digits",
  summary: "the textbook's algorithm step by step; bytes per token by vocabulary; digits alone: counting and adding",
  seeds: 3,
  async run(context) {
    const sides = await splitText(context);
    return inTurn(context.signal, [
      async () => [await traceSection(context.trace ?? classic)],
      () => growthSection(context, sides),
      async () => [await cutSection(context)],
      () => arithmeticSection(context),
    ]);
  },
};

// ── step by step ──

/** The words of Sennrich et al.'s toy example, with their counts. */
const classic = `${"low ".repeat(5)}${"lower ".repeat(2)}${"newest ".repeat(6)}${"widest ".repeat(3)}`;
const shownSteps = 10;
/** Words of a long text are too many to show. */
const shownWords = 8;

/** Whether the trainer that models are made with learns the textbook's merges, in their order. */
export async function sameMerges(text: string, steps: readonly BpeStep[]): Promise<boolean> {
  const characters = new Set(text.replace(/\s/gu, "")).size;
  const specials = 3;
  const vocabSize = specials + 1 + characters + steps.length;
  const { pieces, merges } = await trainTokenizer([text], { kind: "word", vocabSize, maxMerges: steps.length });
  const learnt = merges?.map(([left, right]) => `${pieces[left]} ${pieces[right]}`);
  return learnt?.join("\n") === steps.map(({ left, right }) => `${left} ${right}`).join("\n");
}

async function traceSection(text: string): Promise<Section> {
  const steps = textbookBpe(text, shownSteps);
  const isSame = steps.length > 0 && (await sameMerges(text, steps));
  const before = countSymbols(text);
  const last = steps.at(-1);
  return {
    title: "The textbook's algorithm, step by step",
    claim: "Split words into characters and a mark of their end; count adjacent pairs; merge the most frequent one; repeat.",
    source: `${sennrich}, section 3.2 and algorithm 1`,
    verdict: isSame ? "shown" : "not shown",
    conclusion:
      last === undefined
        ? `The text has ${before} symbols and nothing to merge.`
        : `${counted(steps.length, "merge")} take${steps.length === 1 ? "s" : ""} the text from ${before} symbols to ${last.symbols}; the trainer makes ${isSame ? "the same merges in the same order" : "OTHER merges"}. ` +
          `The first joins "${steps[0]!.left}" and "${steps[0]!.right}", which stand together ${steps[0]!.count === 1 ? "once" : `${steps[0]!.count} times`}.`,
    remarks: [
      "Counts weigh every word by how often it occurs. Ties go to the shorter result, then to the first in the order of the alphabet, so that the order of the text does not matter.",
    ],
    tables: steps.length === 0 ? [] : [stepTable(steps)],
    charts: [],
  };
}

function countSymbols(text: string): number {
  return text.split(/\s+/u).reduce((sum, word) => sum + (word === "" ? 0 : [...word].length + 1), 0);
}

function stepTable(steps: readonly BpeStep[]) {
  const shown = (words: BpeStep["words"]) =>
    words
      .slice(0, shownWords)
      .map((symbols) => symbols.join(" "))
      .join(" · ") + (words.length > shownWords ? " · …" : "");
  return {
    title: "merges in order",
    columns: ["step", "pair", "count", "symbols of the text", "words"],
    rows: steps.map(({ left, right, count, symbols, words }, i) => [i + 1, `${left} + ${right}`, count, symbols, shown(words)]),
  };
}

// ── vocabulary and bytes per token ──

const vocabularies = [512, 1024, 2048, 4096, 8192];

const kinds = {
  "digits alone": { splitDigits: true },
  "digits merged": { splitDigits: false },
} as const;
type Digits = keyof typeof kinds;

/** Bytes per token of held-out text with so many pieces, by each kind of tokenizer. */
export interface Growth {
  readonly size: number;
  readonly perToken: Readonly<Record<Digits, number>>;
}

/** A size counts when both kinds have been measured with it: when the text gives no more pieces, or a person stops it, the others stay. */
async function growthSection(hooks: Hooks, { training, heldOut }: Sides): Promise<Section[]> {
  const bytes = heldOut.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  const perToken = async (size: number, digits: Digits) => {
    const tokenizer = await trainSize(training, size, digits, hooks);
    return tokenizer && bytes / heldOut.reduce((sum, text) => sum + tokenizer.encode(text).length, 0);
  };
  const rows = await measureGrowth(perToken, hooks.signal);
  return rows.length === 0 ? [] : [describeGrowth(rows, hooks.signal.aborted)];
}

/**
 * The sizes that both kinds were measured with, from the smallest on: up to the one that the text is too small for, or in which the signal aborted.
 * @param perToken bytes per token with a vocabulary of a size; undefined where the text is too small for it. What it throws is thrown, unless it is aborted.
 */
export async function measureGrowth(
  perToken: (size: number, digits: Digits) => Promise<number | undefined>,
  signal: AbortSignal,
): Promise<Growth[]> {
  const rows: Growth[] = [];
  try {
    for (const size of vocabularies) {
      const [alone, merged] = [await perToken(size, "digits alone"), await perToken(size, "digits merged")];
      if (alone === undefined || merged === undefined) break;
      rows.push({ size, perToken: { "digits alone": alone, "digits merged": merged } });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return rows;
}

/** @param rows the sizes that were measured, from the smallest on, at least one */
export function describeGrowth(rows: readonly Growth[], isStopped = false): Section {
  const alone = rows.map(({ perToken }) => perToken["digits alone"]);
  const gains = alone.slice(1).map((perToken, i) => perToken - alone[i]!);
  const [first, last] = [rows[0]!, rows.at(-1)!];
  const cost = 1 - last.perToken["digits alone"] / last.perToken["digits merged"];
  const falls = gains.every((gain, i) => i === 0 || gain < gains[i - 1]! + 0.02);
  // That gains become less takes two of them.
  const verdict: Verdict =
    gains.length < 2 ? "too short to say" : !gains.every((gain) => gain > 0) ? "not shown" : falls ? "shown" : "partly shown";
  const grown =
    gains.length === 0
      ? `With ${first.size} pieces, a token of held-out text has ${first.perToken["digits alone"].toFixed(2)} bytes`
      : `From ${first.size} to ${last.size} pieces, a token of held-out text grows from ${first.perToken["digits alone"].toFixed(2)} to ${last.perToken["digits alone"].toFixed(2)} bytes; ` +
        `the doublings add ${gains.map((gain) => gain.toFixed(2)).join(", ")}`;
  return {
    title: "What a larger vocabulary buys",
    claim:
      "Every merge shortens the text, the first ones most: bytes per token grow about with the logarithm of the vocabulary, and less and less.",
    source: `${sennrich}, section 3.2; ${llamaPaper}`,
    verdict,
    conclusion:
      `${grown}. Digits alone cost ${(100 * cost).toFixed(2)} % of that at ${last.size} pieces.` +
      (isStopped ? ` (${counted(rows.length, "size")} of ${vocabularies.length}: it was stopped.)` : ""),
    remarks: ["Byte-level BPE, GPT-2's split pattern. What digits alone cost depends on how many numbers the text has."],
    tables: [
      {
        title: "bytes per token of held-out text",
        columns: ["pieces", ...Object.keys(kinds)],
        rows: rows.map(({ size, perToken }) => [size, perToken["digits alone"], perToken["digits merged"]]),
      },
    ],
    charts: [
      {
        kind: "lines",
        title: "bytes per token by vocabulary",
        x: { label: "pieces (1k = 1024)", scale: "log", ticks: vocabularies },
        y: { label: "bytes per token" },
        series: (Object.keys(kinds) as Digits[]).map((name) => ({
          name,
          as: name === "digits alone" ? ("line" as const) : ("dashed" as const),
          points: rows.map(({ size, perToken }) => ({ x: size, y: perToken[name] })),
        })),
      },
    ],
  };
}

const specials = { bos: "<s>", eos: "</s>" } as const;

/** Undefined where the text is too small for so many pieces. */
async function trainSize(
  training: readonly string[],
  vocabSize: number,
  digits: Digits,
  { progress, signal }: Hooks,
): Promise<Tokenizer | undefined> {
  const options = { kind: "bytes", pattern: "gpt2", specials, ...kinds[digits], onProgress: progress, signal } as const;
  try {
    return createTokenizer(await trainTokenizer(training, { ...options, vocabSize }));
  } catch (error) {
    if (!signal.aborted && error instanceof CriaError && vocabSize > vocabularies[0]!) return undefined;
    throw error;
  }
}

type Hooks = Pick<StudyContext, "progress" | "signal">;

// ── how numbers are cut ──

const bytePieces = 256 + 2;
/** Pieces of the tokenizer that may merge digits: about as many merges as there are pairs of digits, and some for three. */
const mergedPieces = bytePieces + 200;

/** A tokenizer made for sums and counting: digits alone leave it nothing to merge. */
async function numberTokenizer(digits: Digits, lines: readonly string[], { progress, signal }: Hooks): Promise<Tokenizer> {
  const vocabSize = digits === "digits alone" ? bytePieces : mergedPieces;
  const options = { kind: "bytes", pattern: "gpt2", specials, ...kinds[digits], onProgress: progress, signal } as const;
  return createTokenizer(await trainTokenizer(lines, { ...options, vocabSize }));
}

function pieces(tokenizer: Tokenizer, text: string): string[] {
  return [...tokenizer.encode(text)].map((id) => tokenizer.idToPiece(id));
}

async function cutSection(context: StudyContext): Promise<Section> {
  const { training } = writeTasks(context.seeds[0]!);
  const cuts = (Object.keys(kinds) as Digits[]).map((digits) => ({ digits, found: undefined as Cuts | undefined }));
  for (const cut of cuts) cut.found = measureCuts(await numberTokenizer(cut.digits, training, context));
  const [alone, merged] = cuts.map(({ found }) => found) as [Cuts, Cuts];
  return {
    title: "How numbers are cut",
    claim: "LLaMA splits all numbers into digits, so that every digit has the same place in every number.",
    source: llamaPaper,
    verdict: alone.sameAsNext === 1 && merged.sameAsNext < 0.99 ? "shown" : "not shown",
    conclusion:
      `With digits merged by frequency, ${merged.patterns} different cuts occur among the numbers 1000 to 9999, and ${(100 * (1 - merged.sameAsNext)).toFixed(0)} % of these n are cut otherwise than n + 1; ` +
      `with digits alone it is one cut for all. The price: ${alone.perNumber.toFixed(2)} tokens per number instead of ${merged.perNumber.toFixed(2)}.`,
    remarks: [`Tokenizers made on sums of numbers below 1000 and on counting below 10,000; ${mergedPieces - bytePieces} merges.`],
    tables: [
      {
        title: "examples",
        columns: ["number", ...Object.keys(kinds)],
        rows: [7, 42, 417, 999, 1000, 1001, 2024, 9998, 9999].map((n) => [String(n), alone.show(n), merged.show(n)]),
      },
    ],
    charts: [],
  };
}

interface Cuts {
  /** Different lengths of tokens in a row, over four-digit numbers. */
  readonly patterns: number;
  /** Share of the four-digit n whose cut is that of n + 1. */
  readonly sameAsNext: number;
  readonly perNumber: number;
  show(n: number): string;
}

function measureCuts(tokenizer: Tokenizer): Cuts {
  const cutOf = (n: number) =>
    pieces(tokenizer, String(n))
      .map((piece) => piece.length)
      .join("+");
  const numbers = Array.from({ length: 9000 }, (_, i) => 1000 + i);
  const cut = numbers.map(cutOf);
  return {
    patterns: new Set(cut).size,
    sameAsNext: mean(cut.slice(1).map((one, i) => (one === cut[i] ? 1 : 0))),
    perNumber: mean(numbers.map((n) => tokenizer.encode(String(n)).length)),
    show: (n) => pieces(tokenizer, String(n)).join(" | "),
  };
}

// ── counting and adding ──

interface Tasks extends Sides {
  /** Held-out lines, never seen in training: prompt and answer. */
  readonly questions: Readonly<Record<"adding" | "counting", readonly Line[]>>;
}

type Line = readonly [prompt: string, answer: string];

interface Drawn {
  /** The same for the same line: it says which side the line is on. */
  readonly key: number;
  readonly line: Line;
}

const lineCount = 60_000;
const questionCount = 200;
const heldOutShare = 0.1;

/** "417+85=502", and "417>418" for every fourth line, because it is the easier; a tenth of all sums and of all numbers never occurs in training. */
export function writeTasks(seed: number): Tasks {
  const rng = new Rng(seed).fork("tasks");
  const isKept = (key: number) => new Rng(key).uniform() >= heldOutShare;
  const adding = (): Drawn => {
    const [a, b] = [rng.below(1000), rng.below(1000)];
    return { key: a * 1000 + b, line: [`${a}+${b}=`, String(a + b)] };
  };
  const counting = (): Drawn => {
    const n = rng.below(9999);
    return { key: 1e6 + n, line: [`${n}>`, String(n + 1)] };
  };
  const training = Array.from({ length: lineCount }, (_, i) => draw(i % 4 === 0 ? counting : adding, isKept));
  const unseen = (task: () => Drawn) => Array.from({ length: questionCount }, () => draw(task, (key) => !isKept(key)));
  const questions = { adding: unseen(adding), counting: unseen(counting) };
  return { training: inDocuments(training), heldOut: inDocuments([...questions.adding, ...questions.counting]), questions };
}

function draw(task: () => Drawn, isWanted: (key: number) => boolean): Line {
  for (;;) {
    const { key, line } = task();
    if (isWanted(key)) return line;
  }
}

const linesInDocument = 100;

function inDocuments(lines: readonly Line[]): string[] {
  const count = Math.ceil(lines.length / linesInDocument);
  return Array.from({ length: count }, (_, i) =>
    lines
      .slice(i * linesInDocument, (i + 1) * linesInDocument)
      .map(([prompt, answer]) => `${prompt}${answer}\n`)
      .join(""),
  );
}

export interface Accuracy {
  readonly adding: number;
  readonly counting: number;
}

const arithmeticHead: Head = {
  title: "What it does to counting and adding",
  claim: "Digits alone should make arithmetic easier to learn.",
  source: `${llamaPaper}; Nogueira et al. 2021, arXiv 2102.13019`,
};

async function arithmeticSection(context: StudyContext): Promise<Section[]> {
  const tasks = writeTasks(context.seeds[0]!);
  using lab = new Lab(context);
  const tokenizers = new Map<string, Tokenizer>();
  for (const digits of Object.keys(kinds) as Digits[]) tokenizers.set(digits, await numberTokenizer(digits, tasks.training, context));
  const trials = [...tokenizers].map(([name, tokenizer]) => trialOf(name, tokenizer, tasks, context));
  const outcomes = await lab.run<Accuracy>({
    trials,
    seeds: context.seeds,
    seconds: context.secondsLeft() * 0.97,
    leastSteps: 30,
    heldOutTokens: 8192,
    examine: async (weights, { variant }) => ({
      adding: await exactAnswers(
        context.backend,
        variant.config,
        weights,
        asQuestions(tokenizers.get(variant.name)!, tasks.questions.adding),
      ),
      counting: await exactAnswers(
        context.backend,
        variant.config,
        weights,
        asQuestions(tokenizers.get(variant.name)!, tasks.questions.counting),
      ),
    }),
  });
  return concluded(arithmeticHead, outcomes, trials.length, context, (whole) => describeArithmetic(whole, tokenizers, tasks));
}

function trialOf(name: string, tokenizer: Tokenizer, tasks: Tasks, { progress }: StudyContext): Trial {
  const text = encodeSides(tokenizer, tasks, { progress, least: 256 });
  const config = llamaConfig({
    vocabSize: tokenizer.vocabSize,
    dim: 64,
    nLayers: 3,
    nHeads: 4,
    hiddenDim: 176,
    contextLength: 64,
    tiedOutput: true,
  });
  return { variant: { name, config, size: { batch: 8, length: 64 }, text }, learningRate: 3e-3, warmupShare: 0.05 };
}

/** A line end stands before each, as in training. The prompt ends in a sign, so its tokens do not depend on the answer. */
function asQuestions(tokenizer: Tokenizer, lines: readonly Line[]): Question[] {
  return lines.map(([prompt, answer]) => ({
    tokens: tokenizer.encode(`\n${prompt}${answer}\n`),
    given: tokenizer.encode(`\n${prompt}`).length,
  }));
}

const tasksOf = ["adding", "counting"] as const;

export function describeArithmetic(
  outcomes: readonly Outcome<Accuracy>[],
  tokenizers: ReadonlyMap<string, Tokenizer>,
  tasks: Tasks,
): Section {
  const groups = groupBy(outcomes, ({ trial }) => trial.variant.name);
  const of = (name: Digits, task: keyof Accuracy) => groups.get(name)!.map(({ found }) => 100 * (found?.[task] ?? 0));
  const gains = tasksOf.map((task) => pairedDifference(of("digits alone", task), of("digits merged", task)));
  const answered = tasksOf.map(
    (task, i) =>
      `${task} ${spread(of("digits alone", task), 1)} % against ${spread(of("digits merged", task), 1)} %, a gain of ${told(gains[i]!, 1)} points`,
  );
  const isNothing = tasksOf.every((task) => Math.max(...of("digits alone", task), ...of("digits merged", task)) < 5);
  const perLine = [...tokenizers].map(
    ([name, tokenizer]) => `${(tokenizer.encode(tasks.training[0]!).length / linesInDocument).toFixed(1)} tokens per line with ${name}`,
  );
  return {
    ...arithmeticHead,
    verdict: verdictOf(
      gains.map(({ low }) => low > 0),
      isNothing || groups.get("digits alone")!.length < 2,
    ),
    conclusion: `Answered exactly, digits alone against digits merged: ${answered.join("; ")}; ${questionCount} unseen lines of each, ${counted(groups.get("digits alone")!.length, "seed")}.`,
    remarks: [
      `3 layers, 64 channels, ${counted(outcomes[0]!.steps, "step")} of 8 × 64 tokens on lines such as "417+85=502" (numbers below 1000) and "417>418" (below 9999). Merged digits need fewer tokens for a line (${perLine.join(", ")}), so in as many steps they see more lines, ` +
        "and their embedding table is larger: both are to their advantage.",
      "Adding is learnt all at once: where the std is large, some seeds had got there and others had not yet.",
      ...divergedRemark(outcomes, "counted as if it answered nothing"),
      ...(gains.every(({ low }) => low > 0) || isNothing
        ? []
        : [
            "Whole numbers as tokens can be learnt by heart where there are few of them; the advantage of digits grows with the length of numbers, which are short here.",
          ]),
    ],
    tables: [
      {
        title: "answered exactly, %",
        columns: ["", "adding", "counting", "held-out loss, nats per line"],
        rows: [...groups].map(([name, group]) => [
          name,
          spread(of(name as Digits, "adding"), 1),
          spread(of(name as Digits, "counting"), 1),
          spread(
            group.map(
              ({ heldOut, trial }) => ((heldOut?.loss ?? Number.NaN) * trial.variant.text.heldOut.tokens.length) / (2 * questionCount),
            ),
          ),
        ]),
      },
    ],
    charts: [answeredChart(of)],
  };
}

function answeredChart(of: (name: Digits, task: keyof Accuracy) => readonly number[]): Section["charts"][number] {
  return {
    kind: "ranges",
    title: "answered exactly: a dot per seed, a line for their mean",
    x: { label: "%", domain: [0, 100] },
    rows: tasksOf.flatMap((task) => (Object.keys(kinds) as Digits[]).map((name) => ({ name: `${task}, ${name}`, values: of(name, task) }))),
  };
}
