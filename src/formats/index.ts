export { type ReadTokenizerOptions, readTokenizerJson } from "./tokenizer-json-read.ts";
export { tokenizerConfigJson, tokenizerJson } from "./tokenizer-json-write.ts";
