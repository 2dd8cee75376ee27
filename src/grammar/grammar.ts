// A compiled grammar: what texts it has, and which tokens may follow a text.
import { fail } from "../base/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import { compileRules } from "./automaton.ts";
import type { GrammarRules } from "./expression.ts";
import { parseGbnf } from "./gbnf.ts";
import { Machine, type State } from "./machine.ts";
import { TokenMasks } from "./token-masks.ts";
import { tokenTries } from "./token-trie.ts";

/**
 * A set of texts as an automaton. It remembers what it has worked out, so that one object for many texts is the fast way. It serves any number of texts
 * and tokenizers at a time.
 */
export class Grammar {
  readonly machine: Machine;
  readonly #masks = new WeakMap<Tokenizer, TokenMasks>();

  /** @param where begins messages. @throws CriaError where the rules have no text, begin with themselves or are too large */
  constructor(rules: GrammarRules, where: string) {
    this.machine = new Machine(compileRules(rules, where), where);
  }

  /** Whether a text is valid as a whole. */
  accepts(text: string): boolean {
    return this.after(new TextEncoder().encode(text))?.isEnd ?? false;
  }

  /** What may come behind bytes, by default at the beginning; null where no valid text begins with them. */
  after(bytes: Uint8Array, start: State = this.machine.start()): State | null {
    let state: State | null = start;
    for (let i = 0; i < bytes.length && state !== null; i++) state = this.machine.step(state, bytes[i]!);
    return state;
  }

  /** Masks of a tokenizer's tokens. @throws CriaError where its tokens have no bytes of their own */
  masksOf(tokenizer: Tokenizer): TokenMasks {
    const known = this.#masks.get(tokenizer) ?? new TokenMasks(this.machine, tokenTries(tokenizer));
    this.#masks.set(tokenizer, known);
    return known;
  }
}

/**
 * A grammar in GBNF, llama.cpp's notation. Rule `root` is the whole text.
 * @throws CriaError naming line and column of what is not well-formed or not supported, or the rule that begins with itself or has no text
 */
export function gbnfGrammar(source: string): Grammar {
  const rules = parseGbnf(source);
  const grammar = new Grammar(rules, "grammar");
  const { isAlive, starts } = grammar.machine.automaton;
  const endless = rules.names.find((_, rule) => isAlive[starts[rule]!] === 0);
  if (endless !== undefined) fail("grammar", `${endless} has no text: every way through it is endless or leads to a rule without a text`);
  return grammar;
}
