export { Grammar, gbnfGrammar } from "./grammar.ts";
export type { State as GrammarState } from "./machine.ts";
export { addTo, type TokenMask, TokenMasks } from "./token-masks.ts";
