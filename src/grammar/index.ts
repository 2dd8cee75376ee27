export { GrammarComposer, textWithout } from "./compose.ts";
export { anyText, type Expression, either, empty, optional, repeat, sequence, set, text } from "./expression.ts";
export { Grammar, gbnfGrammar } from "./grammar.ts";
export { type JsonSchemaOptions, jsonSchemaGrammar } from "./json-schema/json-schema.ts";
export { type Whitespace, whitespaces } from "./json-schema/layout.ts";
export type { State as GrammarState } from "./machine.ts";
export { addTo, type TokenMask, TokenMasks } from "./token-masks.ts";
export { prepareTokens } from "./token-trie.ts";
