// What may come next, between logits and a drawn token: steps change logits and choose candidates, one step after the other.
import { check, fail } from "../base/index.ts";
import { largestFirst } from "./largest-first.ts";
import type { TextSoFar } from "./text-so-far.ts";

/** One step between logits and the next token. */
export interface LogitsStep {
  readonly name: string;
  apply(scores: Scores, text: TextSoFar): void;
  /**
   * Only of a step that rules tokens out and does nothing else, which {@link apply} does too: clears their bits, so that the machine can leave them out
   * where it gives the largest logits only.
   * @param allowed token id is bit id mod 32 of word ⌊id / 32⌋
   */
  restrict?(allowed: Uint32Array, text: TextSoFar): void;
  /** Only of a step that knows which texts are complete: whether the text is, and nothing may follow it. */
  isComplete?(text: TextSoFar): boolean;
}

/** Sets the bits of tokens, for which there must be words. */
export function setBits(bits: Uint32Array, ids: Iterable<number>): void {
  for (const id of ids) bits[id >>> 5]! |= 1 << (id & 31);
}

/** The bits of the first `count` tokens of `size`. */
export function firstBits(count: number, size: number): Uint32Array {
  const bits = new Uint32Array(Math.ceil(size / 32)).fill(0xffffffff, 0, count >>> 5);
  if (count % 32 > 0) bits[count >>> 5] = 2 ** (count % 32) - 1;
  return bits;
}

/** Clears the bits of tokens; those outside the vocabulary have none. */
export function clearBits(bits: Uint32Array, ids: Iterable<number>): void {
  for (const id of ids) if (id < 32 * bits.length) bits[id >>> 5]! &= ~(1 << (id & 31));
}

/** Tokens that may come next with their probabilities, which sum to 1. */
export interface Candidates {
  readonly ids: Int32Array;
  readonly probabilities: Float64Array;
}

/** Logits of the token to come, and what steps have made of them. One object serves token after token. */
export class Scores {
  #logits: Float32Array = new Float32Array();
  /** The tokens whose logits these are; undefined where they are all of the vocabulary. */
  #ids: Int32Array | undefined;
  /** Holds the logits once per step changes them: the given ones stay as they are. */
  #changed: Float32Array = new Float32Array();
  #temperature = 1;
  #kept: Int32Array | undefined;
  #weights: Float64Array | undefined;
  #weightsToFill = new Float64Array();

  /**
   * @param logits [V], not changed; −Infinity rules a token out
   * @param ids rising, where the logits are of some tokens alone; what is said of ids below is then said of their places among these
   */
  begin(logits: Float32Array, ids?: Int32Array): this {
    this.#logits = logits;
    this.#ids = ids;
    this.#temperature = 1;
    this.#kept = undefined;
    this.#weights = undefined;
    return this;
  }

  /** [V]; a step that changes them asks for {@link change}. */
  get logits(): Float32Array {
    return this.#logits;
  }

  /** The candidates that steps have chosen, most probable first; all tokens where none has. */
  get kept(): Int32Array | undefined {
    return this.#kept;
  }

  /** Whether the most probable token is taken. */
  get isGreedy(): boolean {
    return this.#temperature === 0;
  }

  /** The logits as an array that may be written to. */
  change(): Float32Array {
    this.#weights = undefined;
    if (this.#logits === this.#changed) return this.#changed;
    if (this.#changed.length !== this.#logits.length) this.#changed = new Float32Array(this.#logits.length);
    this.#changed.set(this.#logits);
    this.#logits = this.#changed;
    return this.#changed;
  }

  /** Whether the logits are of some tokens alone. */
  get isPart(): boolean {
    return this.#ids !== undefined;
  }

  /**
   * Changes the logits of tokens.
   * @param name the step that does @param values what `change` is told of each; tokens outside the vocabulary change nothing
   * @throws CriaError where a logit becomes NaN or infinite, for −Infinity rules a token out
   */
  adjust(name: string, values: ReadonlyMap<number, number>, change: (logit: number, value: number) => number): void {
    if (values.size === 0) return;
    const logits = this.change();
    if (this.#temperature > 0 && this.#temperature !== 1) {
      // The change is to what the temperature has made of the logits.
      for (let i = 0; i < logits.length; i++) logits[i] = logits[i]! / this.#temperature;
      this.#temperature = 1;
    }
    const set = (at: number, id: number, value: number) => {
      const before = logits[at]!;
      logits[at] = change(before, value);
      if (before < Number.POSITIVE_INFINITY && !(logits[at]! < Number.POSITIVE_INFINITY))
        fail(
          "sampling",
          `${name} makes the logit of token ${id} ${logits[at]}, which was ${before}: its numbers are too large for float32`,
        );
    };
    if (this.#ids === undefined) for (const [id, value] of values) if (id < logits.length) set(id, id, value);
    for (const [i, id] of this.#ids?.entries() ?? []) {
      const value = values.get(id);
      if (value !== undefined) set(i, id, value);
    }
    this.#kept = this.#kept?.slice().sort((a, b) => logits[b]! - logits[a]! || a - b);
  }

  /** Rules tokens out; those outside the vocabulary rule out nothing. */
  exclude(ids: Iterable<number>): void {
    for (const id of ids) this.change()[id] = Number.NEGATIVE_INFINITY; // an index past the end changes nothing
  }

  /** Rules out every token whose bit is 0. @param bits token id is bit id mod 32 of word ⌊id / 32⌋; at least V bits */
  allow(bits: Uint32Array): void {
    const { length } = this.#logits;
    check(bits.length * 32 >= length, "sampling", () => `a mask has ${bits.length * 32} bits but the vocabulary ${length} tokens`);
    const logits = this.change();
    for (let word = 0; word < bits.length; word++) {
      const allowed = bits[word]!;
      if (allowed === 0xffffffff) continue;
      const end = Math.min(length, 32 * word + 32);
      for (let id = 32 * word; id < end; id++) if (((allowed >>> (id & 31)) & 1) === 0) logits[id] = Number.NEGATIVE_INFINITY;
    }
  }

  /** What the logits are divided by. */
  get temperature(): number {
    return this.#temperature;
  }

  /** Divides all logits by it; 0 takes the most probable token. */
  divide(temperature: number): void {
    this.#temperature *= temperature;
    this.#weights = undefined;
  }

  /** Only these candidates stay. @param ids most probable first */
  keep(ids: Int32Array): void {
    this.#kept = ids;
  }

  /** exp((logit − largest) / temperature) by id: probabilities up to a factor, the largest 1. */
  get weights(): Float64Array {
    if (this.#weights !== undefined) return this.#weights;
    if (this.#weightsToFill.length !== this.#logits.length) this.#weightsToFill = new Float64Array(this.#logits.length);
    this.#weights = softmaxWeights(this.#logits, this.#temperature, this.#weightsToFill);
    return this.#weights;
  }

  /** The sum of the candidates' weights. */
  get total(): number {
    const { weights } = this;
    return sum(weights, this.#kept);
  }

  /**
   * The candidates, most probable first and the lower id first among equals.
   * @param least weight of the candidates that are wanted; all by default
   */
  inOrder(least = 0): Iterable<number> {
    return this.#kept ?? largestFirst(this.weights, idsFrom(this.weights, least));
  }

  /** The candidate with the largest logit, the lowest id among equals. @throws CriaError when a logit is NaN or infinite, or all are ruled out */
  best(): number {
    return this.#kept?.[0] ?? mostProbable(this.#logits);
  }

  /** What may come, most probable first where a step has chosen candidates, by id otherwise. */
  candidates(): Candidates {
    const { weights } = this;
    const ids = idsFrom(weights, Number.MIN_VALUE, this.#kept);
    check(ids.length > 0, "sampling", () => "no candidate is left: a step must leave one that is possible");
    const total = sum(weights, ids);
    const probabilities = new Float64Array(ids.length);
    for (let i = 0; i < ids.length; i++) probabilities[i] = weights[ids[i]!]! / total;
    return { ids, probabilities };
  }
}

/** The id of the largest logit, the lowest among equals. @throws CriaError when a logit is NaN or infinite, or all are ruled out. */
export function mostProbable(logits: Float32Array): number {
  let best = -1;
  let largest = Number.NEGATIVE_INFINITY;
  for (let id = 0; id < logits.length; id++) {
    const logit = logits[id]!;
    if (logit > largest) {
      best = id;
      largest = logit;
    }
    if (!(logit < Number.POSITIVE_INFINITY))
      fail("sampling", `the logit of token ${id} is ${logit} but must be finite: the weights are damaged or too large for float32`);
  }
  check(best >= 0, "sampling", () => `all ${logits.length} tokens are ruled out: at least one must be possible`);
  return best;
}

function softmaxWeights(logits: Float32Array, temperature: number, weights: Float64Array): Float64Array {
  const largest = logits[mostProbable(logits)]!;
  for (let id = 0; id < weights.length; id++) weights[id] = Math.exp((logits[id]! - largest) / temperature);
  return weights;
}

/** Those of the ids, by default all, whose weight is at least `least`, in their order. */
export function idsFrom(weights: Float64Array, least: number, ids?: Int32Array): Int32Array {
  const length = ids?.length ?? weights.length;
  const found = new Int32Array(length);
  let count = 0;
  for (let i = 0; i < length; i++) {
    const id = ids === undefined ? i : ids[i]!;
    if (weights[id]! >= least) found[count++] = id;
  }
  return found.subarray(0, count);
}

/** The sum of the weights of these ids, by default of all. */
function sum(weights: Float64Array, ids?: Int32Array): number {
  let total = 0;
  if (ids === undefined) for (let id = 0; id < weights.length; id++) total += weights[id]!;
  else for (let i = 0; i < ids.length; i++) total += weights[ids[i]!]!;
  return total;
}
