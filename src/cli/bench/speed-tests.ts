// What is measured of a model, as llama-bench of llama.cpp does: prompts that are read ("pp"), and tokens that are written one after the other ("tg"),
// behind contexts of any length, for one text or several at the same time.
import { median, Rng } from "../../base/index.ts";
import { pageKeys } from "../../graph/index.ts";
import type { Sequence, SequenceModel, SequenceModelOptions } from "../../infer/index.ts";

/** One measurement: either a prompt or tokens that are written. */
export interface SpeedTest {
  /** Tokens of a prompt that are read; 0 where tokens are written. */
  readonly prompt: number;
  /** Tokens that are written; 0 where a prompt is read. */
  readonly generate: number;
  /** Tokens that each text has before. */
  readonly depth: number;
  /** Texts at the same time. */
  readonly sequences: number;
}

/** The test by the name that llama-bench gives it: "pp512", "tg128 @ d8192"; "tg128 × 8" for eight texts. */
export function testName({ prompt, generate, depth, sequences }: SpeedTest): string {
  const work = prompt > 0 ? `pp${prompt}` : `tg${generate}`;
  return `${work}${sequences > 1 ? ` × ${sequences}` : ""}${depth > 0 ? ` @ d${depth}` : ""}`;
}

/** Tokens that a run of the test computes. */
export function testTokens({ prompt, generate, sequences }: SpeedTest): number {
  return sequences * (prompt + generate);
}

/** Tokens that a text of the test has at last. */
export function testLength({ prompt, generate, depth }: SpeedTest): number {
  return depth + prompt + generate;
}

/** Memory for these tests: contexts that are read once and kept, and what follows them. */
export function memoryFor(tests: readonly SpeedTest[]): Required<Pick<SequenceModelOptions, "contextLength" | "pages">> {
  const contextLength = Math.max(...tests.map(testLength));
  const pagesOf = (tokens: number) => Math.ceil(tokens / pageKeys) + 1;
  const contexts = [...new Set(tests.map(({ depth }) => depth))].map((depth) => {
    const texts = Math.max(...tests.filter((test) => test.depth === depth).map(({ sequences }) => sequences));
    return depth === 0 ? 0 : texts * pagesOf(depth);
  });
  const work = Math.max(...tests.map((test) => test.sequences * pagesOf(testLength(test))));
  return { contextLength, pages: work + contexts.reduce((sum, pages) => sum + pages, 0) };
}

/** Runs tests on a model. Texts are of random tokens, so that none finds keys and values of another that it could share. */
export class SpeedRunner {
  readonly #model: SequenceModel;
  readonly #signal: AbortSignal | undefined;
  readonly #rng = new Rng(1);
  readonly #contexts = new Map<string, Sequence>();

  /** @param model with the memory of {@link memoryFor} */
  constructor(model: SequenceModel, signal?: AbortSignal) {
    this.#model = model;
    this.#signal = signal;
  }

  /**
   * Runs a test once; its context is read before the clock starts. @param onStart is called there
   * @returns the seconds that its tokens took. @throws the signal's reason when it aborts
   */
  async run(test: SpeedTest, onStart: () => void = () => undefined): Promise<number> {
    const texts: Sequence[] = [];
    try {
      for (let i = 0; i < test.sequences; i++) texts.push(await this.#begin(test.depth, i));
      const ids = texts.map(() => this.#ids(test.prompt + test.generate));
      onStart();
      const start = performance.now();
      await Promise.all(texts.map((text, i) => this.#goOn(text, ids[i] ?? [], test)));
      return (performance.now() - start) / 1000;
    } finally {
      for (const text of texts) text.dispose();
    }
  }

  /** A text of `depth` tokens of its own, which are read once and serve every test. */
  async #begin(depth: number, i: number): Promise<Sequence> {
    if (depth === 0) return this.#model.sequence();
    const key = `${depth} ${i}`;
    const known = this.#contexts.get(key);
    if (known !== undefined) return known.fork();
    const context = this.#model.sequence();
    await context.nextTop(this.#ids(depth), { top: 1 }, this.#signal);
    this.#contexts.set(key, context);
    return context.fork();
  }

  /** A prompt in one run, written tokens one by one; the most probable token is found as for greedy decoding. */
  async #goOn(text: Sequence, ids: readonly number[], { prompt }: SpeedTest): Promise<void> {
    if (prompt > 0) await text.nextTop(ids, { top: 1 }, this.#signal);
    else for (const id of ids) await text.nextTop([id], { top: 1 }, this.#signal);
  }

  #ids(count: number): number[] {
    return Array.from({ length: count }, () => this.#rng.below(this.#model.config.vocabSize));
  }
}

/** Rates of several runs, in tokens per second. */
export interface Rates {
  readonly mean: number;
  /** The standard deviation of the samples; 0 where there is one. */
  readonly deviation: number;
  readonly median: number;
  readonly samples: readonly number[];
}

/** The rates of runs that took so many seconds each. */
export function ratesOf(test: SpeedTest, seconds: readonly number[]): Rates {
  const samples = seconds.map((time) => testTokens(test) / time);
  const mean = samples.reduce((sum, rate) => sum + rate, 0) / samples.length;
  const squares = samples.reduce((sum, rate) => sum + (rate - mean) ** 2, 0);
  const deviation = samples.length < 2 ? 0 : Math.sqrt(squares / (samples.length - 1));
  return { mean, deviation, median: median(samples), samples };
}
