// What the bpe study measures: merges step by step, bytes per token by vocabulary, how numbers are cut, and answers to sums.
import type { Backend } from "../../backend/index.ts";
import { CriaError, Rng } from "../../base/index.ts";
import { llamaConfig } from "../../model/index.ts";
import { createTokenizer, mergePairs, type Tokenizer, trainTokenizer } from "../../tokenizer/index.ts";
import { encodeSides, type Sides } from "../encoded-text.ts";
import { exactAnswers, type Question } from "../exact-answers.ts";
import { mean } from "../statistics.ts";
import type { StudyContext } from "../study.ts";
import { type BpeStep, textbookBpe } from "../textbook-bpe.ts";
import type { Trial } from "../trial.ts";

/** What a measurement reports its progress to, and what stops it. */
type Hooks = Pick<StudyContext, "progress" | "signal">;

// ── step by step ──

/** The words of Sennrich et al.'s toy example, with their counts. */
export const classic = `${"low ".repeat(5)}${"lower ".repeat(2)}${"newest ".repeat(6)}${"widest ".repeat(3)}`;
/** Merges that are traced. */
const shownSteps = 10;

/** Whether the trainer that models are made with learns the textbook's merges, in their order. */
export async function sameMerges(text: string, steps: readonly BpeStep[]): Promise<boolean> {
  const characters = new Set(text.replace(/\s/gu, "")).size;
  const specials = 3;
  const vocabSize = specials + 1 + characters + steps.length;
  const { pieces, merges } = await trainTokenizer([text], { kind: "word", vocabSize, maxMerges: steps.length });
  const learnt = merges && mergePairs(merges).map(([left, right]) => `${pieces[left]} ${pieces[right]}`);
  return learnt?.join("\n") === steps.map(({ left, right }) => `${left} ${right}`).join("\n");
}

/** The textbook's merges of a text. */
export interface Trace {
  readonly steps: readonly BpeStep[];
  /** Symbols of the text before the first merge. */
  readonly symbols: number;
  /** Whether the trainer that models are made with makes the same merges. */
  readonly isSame: boolean;
}

/** The first merges of a text, and whether the trainer makes them too. */
export async function measureTrace(text: string): Promise<Trace> {
  const steps = textbookBpe(text, shownSteps);
  return { steps, symbols: countSymbols(text), isSame: steps.length > 0 && (await sameMerges(text, steps)) };
}

function countSymbols(text: string): number {
  return text.split(/\s+/u).reduce((sum, word) => sum + (word === "" ? 0 : [...word].length + 1), 0);
}

// ── vocabulary and bytes per token ──

/** Pieces of the tokenizers whose bytes per token are measured. */
export const vocabularies = [512, 1024, 2048, 4096, 8192];

/** The two kinds of tokenizer, and the option that makes the difference. */
export const kinds = {
  "digits alone": { splitDigits: true },
  "digits merged": { splitDigits: false },
} as const;
/** The name of a kind. */
export type Digits = keyof typeof kinds;

/** Bytes per token of held-out text with so many pieces, by each kind of tokenizer. */
export interface Growth {
  readonly size: number;
  readonly perToken: Readonly<Record<Digits, number>>;
}

/** The names of both kinds. */
export const bothKinds = ["digits alone", "digits merged"] as const satisfies readonly Digits[];

/**
 * Bytes per token of the held-out side, of tokenizers trained on the other side: as a function of vocabulary size and kind. It gives undefined where
 * the text is too small for so many pieces.
 */
export function bytesPerToken({ training, heldOut }: Sides, hooks: Hooks): (size: number, digits: Digits) => Promise<number | undefined> {
  const bytes = heldOut.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  return async (size, digits) => {
    const tokenizer = await trainSize(training, size, digits, hooks);
    return tokenizer && bytes / heldOut.reduce((sum, text) => sum + tokenizer.encode(text).length, 0);
  };
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

// ── how numbers are cut ──

/** Pieces of a tokenizer that merges nothing. */
export const bytePieces = 256 + 2;
/** Pieces of the tokenizer that may merge digits: about as many merges as there are pairs of digits, and some for three. */
export const mergedPieces = bytePieces + 200;

/** A tokenizer made for sums and counting: digits alone leave it nothing to merge. */
export async function numberTokenizer(digits: Digits, lines: readonly string[], { progress, signal }: Hooks): Promise<Tokenizer> {
  const vocabSize = digits === "digits alone" ? bytePieces : mergedPieces;
  const options = { kind: "bytes", pattern: "gpt2", specials, ...kinds[digits], onProgress: progress, signal } as const;
  return createTokenizer(await trainTokenizer(lines, { ...options, vocabSize }));
}

function pieces(tokenizer: Tokenizer, text: string): string[] {
  return [...tokenizer.encode(text)].map((id) => tokenizer.idToPiece(id));
}

/** How a tokenizer cuts four-digit numbers, and some examples. */
export interface Cuts {
  /** Different lengths of tokens in a row, over four-digit numbers. */
  readonly patterns: number;
  /** Share of the four-digit n whose cut is that of n + 1. */
  readonly sameAsNext: number;
  /** Tokens per number. */
  readonly perNumber: number;
  /** Numbers and their pieces. */
  readonly examples: readonly { readonly number: number; readonly pieces: readonly string[] }[];
}

/** Numbers that are shown as they are cut. */
const examples = [7, 42, 417, 999, 1000, 1001, 2024, 9998, 9999];

/** Cuts of the numbers 1000 to 9999. */
export function measureCuts(tokenizer: Tokenizer): Cuts {
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
    examples: examples.map((number) => ({ number, pieces: pieces(tokenizer, String(number)) })),
  };
}

// ── counting and adding ──

/** The tasks by name. */
export const taskNames = ["adding", "counting"] as const;

/** A task's name. */
export type TaskName = (typeof taskNames)[number];

/** Lines of sums and of counting, as text to learn from and as questions. */
export interface Tasks extends Sides {
  /** Held-out lines, never seen in training: prompt and answer. */
  readonly questions: Readonly<Record<TaskName, readonly Line[]>>;
}

type Line = readonly [prompt: string, answer: string];

interface Drawn {
  /** The same for the same line: it says which side the line is on. */
  readonly key: number;
  readonly line: Line;
}

const lineCount = 60_000;
/** Questions of each task. */
export const questionCount = 200;
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

/** Lines of a document. */
export const linesInDocument = 100;

function inDocuments(lines: readonly Line[]): string[] {
  const count = Math.ceil(lines.length / linesInDocument);
  return Array.from({ length: count }, (_, i) =>
    lines
      .slice(i * linesInDocument, (i + 1) * linesInDocument)
      .map(([prompt, answer]) => `${prompt}${answer}\n`)
      .join(""),
  );
}

/** Shares of a task's questions that a model answers exactly, by task. */
export type Accuracy = Readonly<Record<TaskName, number>>;

/** A model of sums and counting over a tokenizer of either kind. */
export function arithmeticTrials(tokenizers: ReadonlyMap<string, Tokenizer>, tasks: Tasks, context: StudyContext): Trial[] {
  return [...tokenizers].map(([name, tokenizer]) => trialOf(name, tokenizer, tasks, context));
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

/** Shares of the unseen questions that a trained model answers exactly. @param weights by row name */
export async function measureAnswers(
  backend: Backend,
  { variant: { config } }: Trial,
  weights: ReadonlyMap<string, Float32Array>,
  tokenizer: Tokenizer,
  { questions }: Tasks,
): Promise<Accuracy> {
  const answered = (task: TaskName) => exactAnswers(backend, config, weights, asQuestions(tokenizer, questions[task]));
  return { adding: await answered("adding"), counting: await answered("counting") };
}

/** Tokens per line of training text. */
export function tokensPerLine(tokenizer: Tokenizer, { training }: Tasks): number {
  return tokenizer.encode(training[0]!).length / linesInDocument;
}
