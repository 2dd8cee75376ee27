// A grammar as a step between logits and the next token: only tokens that go on with a valid text stay, and stop tokens only where the text may end.
import { check } from "../base/index.ts";
import { addTo, type Grammar, type GrammarState, type TokenMasks } from "../grammar/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import { clearBits, type LogitsStep, type Scores, setBits } from "./scores.ts";
import type { TextSoFar } from "./text-so-far.ts";

/** Serves one text, which may also be taken back to an earlier token. */
export class GrammarStep implements LogitsStep {
  readonly name = "grammar";
  readonly #grammar: Grammar;
  readonly #tokenizer: Tokenizer;
  readonly #masks: TokenMasks;
  readonly #stopIds: readonly number[];
  /** Special tokens that are part of the text by their spelling. */
  readonly #shown: ReadonlySet<number>;
  /** The tokens behind the prompt so far, and the state in front of each and behind all. */
  readonly #ids: number[] = [];
  readonly #states: GrammarState[];
  readonly #bits: Uint32Array;

  /**
   * @param stopIds tokens that end a text
   * @param shown special tokens that the grammar may use by their spelling; all others never come
   * @throws CriaError where the tokenizer's tokens have no bytes of their own
   */
  constructor(grammar: Grammar, tokenizer: Tokenizer, stopIds: Iterable<number>, shown: Iterable<number> = []) {
    this.#grammar = grammar;
    this.#tokenizer = tokenizer;
    this.#masks = grammar.masksOf(tokenizer);
    this.#stopIds = [...stopIds];
    this.#shown = new Set(shown);
    this.#states = [grammar.machine.start()];
    const largest = this.#stopIds.reduce((most, id) => Math.max(most, id + 1), tokenizer.vocabSize);
    this.#bits = new Uint32Array(Math.ceil(largest / 32));
  }

  apply(scores: Scores, text: TextSoFar): void {
    scores.allow(this.#allowed(text));
  }

  restrict(allowed: Uint32Array, text: TextSoFar): void {
    const bits = this.#allowed(text);
    for (let word = 0; word < allowed.length; word++) allowed[word]! &= bits[word] ?? 0;
  }

  isComplete(text: TextSoFar): boolean {
    const { isEnd, places } = this.#state(text);
    return isEnd && places.length === 0;
  }

  #allowed(text: TextSoFar): Uint32Array {
    const state = this.#state(text);
    const bits = this.#bits.fill(0);
    addTo(bits, this.#masks.of(state));
    for (const id of this.#shown) if (this.#after(id, state) !== null) setBits(bits, [id]);
    if (state.isEnd) setBits(bits, this.#stopIds);
    else clearBits(bits, this.#stopIds);
    return bits;
  }

  #after(id: number, before: GrammarState): GrammarState | null {
    const isText = !this.#tokenizer.isSpecial(id) || this.#shown.has(id);
    return isText ? this.#grammar.after(this.#tokenizer.pieceBytes(id), before) : null;
  }

  /** The state behind a text, whose tokens are mostly those of before and one more. */
  #state({ ids, promptLength }: TextSoFar): GrammarState {
    const count = ids.length - promptLength;
    let same = 0;
    while (same < Math.min(count, this.#ids.length) && this.#ids[same] === ids[promptLength + same]) same++;
    this.#ids.length = same;
    this.#states.length = same + 1;
    for (let i = same; i < count; i++) {
      const id = ids[promptLength + i]!;
      const before = this.#grammar.machine.renewed(this.#states[i]!);
      const state = this.#after(id, before);
      check(state !== null, "grammar", () => `token ${id} follows, which the grammar does not allow here: draw tokens behind this step`);
      this.#ids.push(id);
      this.#states.push(state);
    }
    return this.#states[count]!;
  }
}
