// Beam search as Hugging Face's transformers has it (generation/utils.py, _beam_search): the likeliest texts of a model, found by keeping a few at a time.
import { check } from "../base/index.ts";
import type { LanguageModel, TokenSequence } from "./generate-tokens.ts";
import { largest } from "./largest-first.ts";
import { logSumExp } from "./log-probabilities.ts";

/** How beams are searched. */
export interface BeamOptions {
  /** Texts that are kept at a time, from 1. */
  readonly beams: number;
  /** Tokens to write at most, from 1; as many as the context holds by default, where all texts end. */
  readonly maxTokens?: number;
  /** A text's score is its log-probability divided by its number of tokens to this power; above 0 it favours long texts. @default 1 */
  readonly lengthPenalty?: number;
  /** Whether the search ends as soon as there are as many finished texts as beams, though an open one might still become better. @default false */
  readonly earlyStopping?: boolean;
  readonly stopIds?: Iterable<number>;
  /** Ids from here on are never taken. The model's vocabulary by default. */
  readonly vocabSize?: number;
  readonly signal?: AbortSignal;
}

/** A text that a search found. */
export interface BeamText {
  /** The tokens behind the prompt, with the stop token where one ended it. */
  readonly ids: readonly number[];
  /** The text's log-probability, in nats. */
  readonly logProbability: number;
  /** What texts are compared by: the log-probability over the length to the power of the length penalty. */
  readonly score: number;
  /** Whether a stop token ended it, the limit of tokens, or the end of the context. */
  readonly finishReason: "stop" | "length" | "context";
}

interface Beam {
  readonly ids: readonly number[];
  readonly logProbability: number;
  readonly sequence: TokenSequence;
  /** What the model has not read of the text, at least one token. */
  readonly unread: readonly number[];
}

/** A beam with one more token. */
interface Candidate {
  readonly beam: Beam;
  readonly id: number;
  readonly logProbability: number;
}

/**
 * The best texts that a search finds, best first, as many as there are beams.
 * @throws CriaError when an option is out of its range, the prompt is empty or longer than the context, or the model cannot fork what it has read; the
 * signal's reason when it is aborted
 */
export async function beamSearch(model: LanguageModel, prompt: ArrayLike<number>, options: BeamOptions): Promise<readonly BeamText[]> {
  const search = new BeamSearch(model, prompt, options);
  try {
    while (!search.isDone) await search.step();
    return search.found();
  } finally {
    search.dispose();
  }
}

class BeamSearch {
  readonly #options: BeamOptions;
  readonly #stopIds: ReadonlySet<number>;
  readonly #vocabSize: number;
  readonly #mostTokens: number;
  #open: readonly Beam[];
  #finished: BeamText[] = [];

  constructor(model: LanguageModel, prompt: ArrayLike<number>, options: BeamOptions) {
    const { beams, maxTokens = Number.POSITIVE_INFINITY, stopIds = [], vocabSize = model.vocabSize } = options;
    for (const [name, value] of Object.entries({ beams, maxTokens }))
      check(
        value === Number.POSITIVE_INFINITY || (Number.isSafeInteger(value) && value >= 1),
        "infer",
        () => `${name} is ${value} but must be an integer, at least 1`,
      );
    this.#options = options;
    this.#stopIds = new Set(stopIds);
    this.#vocabSize = vocabSize;
    this.#mostTokens = Math.min(maxTokens, model.contextLength - prompt.length + 1);
    check(
      2 * beams <= vocabSize,
      "infer",
      () => `beams are ${beams}, but of ${vocabSize} tokens each step looks at twice as many: use fewer beams`,
    );
    this.#open = [{ ids: [], logProbability: 0, sequence: model.sequence(), unread: Array.from(prompt) }];
  }

  get isDone(): boolean {
    const { beams, earlyStopping = false } = this.#options;
    if (this.#open.length === 0) return true;
    if (this.#finished.length < beams) return false;
    const best = this.#open[0]!;
    const worst = this.#finished.at(-1)!;
    // An open text that ended now would have this score.
    return earlyStopping || worst.score >= this.#score(best.logProbability, Math.max(1, best.ids.length));
  }

  /** All open texts go on by a token: of the likeliest continuations of all, as many go on as there are beams. */
  async step(): Promise<void> {
    const { beams, signal } = this.#options;
    const rows = await Promise.all(this.#open.map(({ sequence, unread }) => sequence.next(unread, signal)));
    const candidates = this.#open.flatMap((beam, i) => continuations(beam, rows[i]!.subarray(0, this.#vocabSize), 2 * beams));
    candidates.sort((a, b) => b.logProbability - a.logProbability); // stable: among equals the earlier beam and the likelier token
    const next: Candidate[] = [];
    for (const [rank, candidate] of candidates.slice(0, 2 * beams).entries()) {
      const isStop = this.#stopIds.has(candidate.id);
      if (isStop && rank < beams) this.#finish(candidate, "stop");
      else if (!isStop && next.length < beams) next.push(candidate);
    }
    const isFull = next.length > 0 && next[0]!.beam.ids.length + 1 >= this.#mostTokens;
    const reason = this.#mostTokens === this.#options.maxTokens ? "length" : "context";
    if (isFull) for (const candidate of next) this.#finish(candidate, reason);
    this.#goOn(isFull ? [] : next);
  }

  /** The first text that goes on from a beam takes its sequence, others fork it; a beam from which none goes on is given back. */
  #goOn(candidates: readonly Candidate[]): void {
    const taken = new Set<Beam>();
    const before = this.#open;
    const forks = candidates.map(({ beam, id, logProbability }): Beam => {
      const sequence = taken.has(beam) ? forkOf(beam.sequence) : beam.sequence;
      taken.add(beam);
      return { ids: [...beam.ids, id], logProbability, sequence, unread: [id] };
    });
    this.#open = forks;
    for (const beam of before) if (!taken.has(beam)) beam.sequence[Symbol.dispose]();
  }

  #finish({ beam, id, logProbability }: Candidate, finishReason: BeamText["finishReason"]): void {
    const ids = [...beam.ids, id];
    this.#finished.push({ ids, logProbability, score: this.#score(logProbability, ids.length), finishReason });
    this.#finished.sort((a, b) => b.score - a.score);
    this.#finished.length = Math.min(this.#finished.length, this.#options.beams);
  }

  #score(logProbability: number, length: number): number {
    return logProbability / length ** (this.#options.lengthPenalty ?? 1);
  }

  found(): readonly BeamText[] {
    return this.#finished;
  }

  dispose(): void {
    for (const { sequence } of this.#open) sequence[Symbol.dispose]();
  }
}

function continuations(beam: Beam, logits: Float32Array, count: number): Candidate[] {
  const total = logSumExp(logits);
  return Array.from(largest(logits, count), (id) => ({ beam, id, logProbability: beam.logProbability + logits[id]! - total }));
}

function forkOf(sequence: TokenSequence): TokenSequence {
  const fork = sequence.fork?.();
  check(fork !== undefined, "infer", () => "beam search needs a model that forks sequences");
  return fork;
}
