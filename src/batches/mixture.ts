// Training batches drawn from several sources in given proportions (LLaMA, table 1), each source walked in a new shuffled order every epoch.
//
// A source of N tokens is cut into windows of T + 1 that share their last token with the next one's first, so that in an epoch every token is
// predicted once. Documents follow one another in a window; their boundary tokens keep them apart, and a document mask where one is asked for.
// How often each source was drawn says everything: which window comes next follows from seed, epoch and place in the epoch. That is the whole state.

import { z } from "zod";
import { check, fail, Rng } from "../base/index.ts";
import { parseWith } from "../schema/index.ts";
import type { Batch, BatchSource } from "./batch.ts";
import { keepApart } from "./document-mask.ts";
import { permutation } from "./permutation.ts";
import type { Tokens } from "./token-store.ts";

/** A source of training tokens and its share of the windows. */
export interface MixtureSource {
  readonly name: string;
  /** Share of the windows; shares are scaled so that their sum is 1. */
  readonly weight: number;
  readonly tokens: Tokens;
}

/** The form of a mixture's batches, and the seed of their order. */
export interface MixtureOptions {
  /** Windows in a batch, B. */
  readonly batch: number;
  /** Positions in a window, T. */
  readonly length: number;
  readonly seed: number;
  /** Whether the documents of a window are kept apart: batches say where they begin, and no token predicts the next document's first. */
  readonly documentMask?: boolean;
}

const mixtureState = z.strictObject({
  seed: z.number(),
  length: z.number(),
  sources: z.array(z.strictObject({ name: z.string(), share: z.number(), windows: z.number(), drawn: z.int().min(0) })),
});
/** A mixture's position, as checkpoints keep it. */
export type MixtureState = z.output<typeof mixtureState>;

/** Consecutive tokens of a source that a row of a batch is made of. */
export interface MixtureWindow {
  readonly source: string;
  /** The index of its first token in the source. */
  readonly first: number;
}

/** How far training has walked through a source. */
export interface SourceProgress {
  readonly name: string;
  /** The share of the windows, from 0 to 1; all sources together have 1. */
  readonly share: number;
  readonly tokensSeen: number;
  /** 2.45: twice through, and almost half a third time. */
  readonly epochs: number;
}

interface Source {
  readonly name: string;
  readonly share: number;
  readonly tokens: Tokens;
  /** Windows in an epoch. */
  readonly windows: number;
  drawn: number;
  /** The order of `epoch`, made when it is first needed. */
  epoch: number;
  startOf: (index: number) => number;
}

const where = "data";

/** Training batches drawn from sources by their weights. The same options and state give the same batches. */
export class Mixture implements BatchSource<MixtureState> {
  readonly #sources: readonly Source[];
  readonly #options: MixtureOptions;

  /** @throws CriaError for weights that are not above 0 and for a source with too few tokens for one window */
  constructor(sources: readonly MixtureSource[], options: MixtureOptions) {
    checkOptions(sources, options);
    const total = sources.reduce((sum, { weight }) => sum + weight, 0);
    this.#options = options;
    this.#sources = sources.map(({ name, weight, tokens }) => ({
      ...{ name, tokens, share: weight / total },
      windows: countWindows(name, tokens.length, options.length),
      ...{ drawn: 0, epoch: -1, startOf: () => 0 },
    }));
  }

  get batchTokens(): number {
    return this.#options.batch * this.#options.length;
  }

  get state(): MixtureState {
    const { seed, length } = this.#options;
    return { seed, length, sources: this.#sources.map(({ name, share, windows, drawn }) => ({ name, share, windows, drawn })) };
  }

  get progress(): SourceProgress[] {
    return this.#sources.map(({ name, share, windows, drawn }) => ({
      ...{ name, share, tokensSeen: drawn * this.#options.length, epochs: drawn / windows },
    }));
  }

  restore(saved: unknown): void {
    const { sources, ...options } = parseWith(mixtureState, saved, where, "saved data position");
    const { seed, length } = this.#options;
    checkSame("seed and window length", options, { seed, length });
    const identity = (rows: readonly { name: string; share: number; windows: number }[]) =>
      rows.map(({ name, share, windows }) => ({ name, share, windows }));
    checkSame("sources", identity(sources), identity(this.#sources));
    this.#sources.forEach((source, i) => {
      source.drawn = sources[i]!.drawn;
      source.epoch = -1;
    });
  }

  /** The windows of the next batch, row by row; the one after it is next then, as if this one had been read. */
  nextWindows(): readonly MixtureWindow[] {
    return this.#nextPicks().map(({ source, start }) => ({ source: source.name, first: start }));
  }

  async next(): Promise<Batch> {
    const { batch, length, documentMask } = this.#options;
    const picks = this.#nextPicks();
    const tokens = new Int32Array(batch * length);
    const targets = new Int32Array(batch * length);
    const documents = documentMask ? { positions: new Int32Array(batch * length), firstKeys: new Int32Array(batch * length) } : undefined;
    const fill = async ({ source, start }: { source: Source; start: number }, row: number) => {
      const window = await source.tokens.read(start, length + 1);
      tokens.set(window.subarray(0, length), row * length);
      targets.set(window.subarray(1), row * length);
      if (!documents) return;
      const rowsOf = (values: Int32Array) => values.subarray(row * length, (row + 1) * length);
      const rows = { positions: rowsOf(documents.positions), firstKeys: rowsOf(documents.firstKeys) };
      keepApart(await startsIn(source, start, length + 1), rows, rowsOf(targets));
    };
    await Promise.all(picks.map(fill));
    return { tokens, targets, ...(documents && { documents }) };
  }

  #nextPicks(): { readonly source: Source; readonly start: number }[] {
    return Array.from({ length: this.#options.batch }, () => this.#pick());
  }

  /**
   * The source that is furthest behind its share. After n windows none has n · share + 1 of them or more. One may be behind by more than a window:
   * never in table 1's shares, 1.27 windows at worst in a random search of others.
   */
  #pick(): { source: Source; start: number } {
    const drawn = this.#sources.reduce((sum, source) => sum + source.drawn, 0);
    const debts = this.#sources.map((source) => source.share * (drawn + 1) - source.drawn);
    const source = this.#sources[debts.indexOf(Math.max(...debts))]!;
    const epoch = Math.floor(source.drawn / source.windows);
    if (epoch !== source.epoch) this.#shuffle(source, epoch);
    return { source, start: source.startOf(source.drawn++ % source.windows) };
  }

  /** The few tokens beyond whole windows are left out at the front in one epoch and at the end in another. */
  #shuffle(source: Source, epoch: number): void {
    const { seed, length } = this.#options;
    const rng = new Rng(seed).fork(`${source.name} ${epoch}`);
    const order = permutation(source.windows, rng);
    const front = rng.below(source.tokens.length - source.windows * length);
    source.epoch = epoch;
    source.startOf = (index) => front + order(index) * length;
  }
}

/** Where documents begin in a window, counted from its first token. @throws CriaError for tokens that say nothing of documents */
async function startsIn({ name, tokens }: Source, first: number, count: number): Promise<number[]> {
  const starts = tokens.startsWithin ?? fail(where, `source "${name}" does not say where its documents begin: train without documentMask`);
  return Array.from(await starts.call(tokens, first, count), (start) => start - first);
}

function countWindows(name: string, tokens: number, length: number): number {
  const windows = Math.floor((tokens - 1) / length);
  check(
    windows >= 1,
    where,
    () => `source "${name}" has ${tokens} tokens but one window takes ${length + 1}: give it more text or train with a shorter context`,
  );
  return windows;
}

function checkOptions(sources: readonly MixtureSource[], options: MixtureOptions): void {
  for (const name of ["batch", "length"] as const)
    check(
      Number.isSafeInteger(options[name]) && options[name] > 0,
      where,
      () => `${name} is ${options[name]}: it must be an integer above 0`,
    );
  check(sources.length > 0, where, () => "there is no source: a mixture needs at least one");
  for (const { name, weight } of sources)
    check(
      weight > 0 && Number.isFinite(weight),
      where,
      () => `source "${name}" has weight ${weight}: it must be a number above 0, or leave the source out`,
    );
}

function checkSame(what: string, saved: unknown, given: unknown): void {
  const [before, now] = [JSON.stringify(saved), JSON.stringify(given)];
  check(
    before === now,
    where,
    () =>
      `${what} changed since the position was saved, from ${before} to ${now}: resume with the same data and recipe, or start a new run`,
  );
}
