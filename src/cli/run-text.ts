// The text of a run that plans itself: a corpus, opened once, with the recipe that reads it again.
import { stat } from "node:fs/promises";
import { join, relative, resolve, sep } from "node:path";
import { stringify } from "yaml";
import { byteSize, type OnProgress } from "../base/index.ts";
import {
  type Corpus,
  dataRecipe,
  isElsewhere,
  type Manifest,
  openCorpus,
  openTexts,
  prepareCorpus,
  type Side,
  type TextOptions,
} from "../corpus/index.ts";
import { atomicWrite, readStream } from "../files/index.ts";
import { parseWith } from "../schema/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import type { CommandIo } from "./command.ts";
import { tellNotes } from "./text-flags.ts";

/** Dispose of it in the end. */
export class RunText implements AsyncDisposable {
  /** A line per source, for people. */
  readonly lines: readonly string[];
  readonly #corpus: Corpus;
  readonly #io: Pick<CommandIo, "progress" | "signal">;

  constructor(corpus: Corpus, lines: readonly string[], { progress, signal }: Pick<CommandIo, "progress" | "signal">) {
    this.lines = lines;
    this.#corpus = corpus;
    this.#io = { progress, signal };
  }

  /** Bytes of its files, compressed as they are. */
  get bytes(): number {
    return this.#corpus.sources.reduce((sum, { texts }) => sum + texts.bytes, 0);
  }

  /** Bytes of text in them, about. */
  get textBytes(): number {
    return this.#corpus.sources.reduce((sum, { texts }) => sum + texts.textBytes, 0);
  }

  /** Tells people what was passed over, and how the text is split. */
  notes(): Promise<readonly string[]> {
    return this.#corpus.notes();
  }

  /** All documents, any number of times. @param task what is done with them, for the progress */
  all(task: string): AsyncGenerator<string> {
    return this.#read(undefined, task);
  }

  /** What training sees of them. */
  training(task: string): AsyncGenerator<string> {
    return this.#read("train", task);
  }

  #read(side: Side | undefined, task: string): AsyncGenerator<string> {
    const { signal } = this.#io;
    return this.#corpus.texts(side, { signal, onBytes: counting(this.#io.progress, task, this.bytes) });
  }

  prepare(tokenizer: Tokenizer, out: string): Promise<Manifest> {
    return prepareCorpus(this.#corpus, tokenizer, out, this.#io);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#corpus[Symbol.asyncDispose]();
  }
}

function counting(progress: OnProgress, task: string, total: number): (bytes: number) => void {
  let done = 0;
  return (bytes) => {
    done += bytes;
    progress({ task, done, total, unit: "bytes" });
  };
}

/** The recipe of a run's data in the run's folder, from which its paths start. */
export const ownRecipeName = "data.yaml";
/** Share of a person's own text that training never sees. */
const heldOutShare = 0.05;

/**
 * A person's own text. What cannot be read again, such as standard input, is kept in the run folder; RUN/data.yaml is the recipe by which
 * `cria data prepare` makes the run's data once more.
 * @throws CriaError as {@link openTexts} does
 */
export async function openOwnText(
  paths: readonly string[],
  reading: TextOptions,
  folder: string,
  where: string,
  io: CommandIo,
): Promise<RunText> {
  const isLasting = await areLasting(paths);
  if (isLasting) await (await openTexts(paths, reading, { signal: io.signal, where }))[Symbol.asyncDispose](); // mistakes are told by the names that were given
  const source = isLasting
    ? { paths: [...paths], ...reading }
    : { paths: [await keep(paths, reading, folder, where, io)], field: "text", newlines: reading.newlines };
  const near = { ...withoutUndefined(source), paths: source.paths.map((path) => fromFolder(path, folder)) };
  const told = { sources: [near], heldOut: heldOutShare, boundaries: "both" };
  // Paths start from the run folder here too, so that documents are called what a later preparation by the recipe calls them.
  const corpus = await openCorpus(parseWith(dataRecipe, told, where, "the data recipe"), { folder, where, signal: io.signal });
  await atomicWrite(join(folder, ownRecipeName), stringify(told), where);
  return new RunText(corpus, corpus.sources[0]!.texts.files.length > mostNamed ? [summary(paths, corpus)] : namedLines(corpus), io);
}

/** More files than these are counted instead of named. */
const mostNamed = 5;

function namedLines(corpus: Corpus): string[] {
  return corpus.sources.flatMap(({ texts }) => texts.files.map(({ name, bytes, form }) => `${name}, ${byteSize(bytes)} of ${form.name}`));
}

function summary(paths: readonly string[], corpus: Corpus): string {
  const { files, bytes } = corpus.sources[0]!.texts;
  return `${files.length} files of ${paths.join(", ")}, ${byteSize(bytes)}`;
}

/** Whether texts can be read again another day: one that cannot is kept. */
export async function areLasting(paths: readonly string[]): Promise<boolean> {
  return (await Promise.all(paths.map(canBeReadAgain))).every(Boolean);
}

/** Whether a path can be read again another day: no pipe, no terminal. A pattern can. */
async function canBeReadAgain(path: string): Promise<boolean> {
  if (path === "-") return false;
  const found = await stat(path).catch(() => undefined);
  return found === undefined || found.isFile() || found.isDirectory();
}

/** Copies the documents to RUN/text/text.jsonl. @returns its path */
async function keep(paths: readonly string[], reading: TextOptions, folder: string, where: string, io: CommandIo): Promise<string> {
  const { signal } = io;
  await using texts = await openTexts(paths, reading, { stdin: readStream("-", { where, signal }), signal, where });
  tellNotes(texts.notes, io);
  const path = join(folder, "text", "text.jsonl");
  const onBytes = counting(io.progress, "reading the text", texts.bytes);
  const lines = async function* () {
    for await (const text of texts.documents({ signal, onBytes })) yield Buffer.from(`${JSON.stringify({ text })}\n`);
  };
  await atomicWrite(path, lines(), where);
  return path;
}

/** The path from the run folder on, so that it can move together with what it reads. */
function fromFolder(path: string, folder: string): string {
  return isElsewhere(path) ? path : relative(resolve(folder), resolve(path)).split(sep).join("/");
}

function withoutUndefined(options: object): object {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
