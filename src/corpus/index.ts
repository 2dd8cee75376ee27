export { Corpus, type Document, openCorpus, type Side } from "./corpus.ts";
export { type CountedTexts, type CountOptions, countTexts, usualMemory } from "./counting/index.ts";
export { DocumentEncoder, type DocumentEncoderOptions } from "./encoding/document-encoder.ts";
export { type Manifest, manifestName } from "./manifest.ts";
export { openShards } from "./open-shards.ts";
export type { DocumentOrigin } from "./origin-index.ts";
export { checkUnused, type PrepareOptions, prepare, prepareCorpus } from "./prepare.ts";
export { PreparedData } from "./prepared.ts";
export { readYaml } from "./read-yaml.ts";
export { type DataRecipe, dataRecipe, parseDataRecipe, type SourceRecipe, sourceRecipe } from "./recipe.ts";
export {
  type DocumentsOptions,
  type FormKey,
  type FormName,
  findInstalled,
  formCalled,
  formNames,
  isElsewhere,
  looksLikeText,
  noteKinds,
  type OpenOptions,
  openEach,
  openTexts,
  type PageContent,
  packageOf,
  pageContents,
  type ReadingNote,
  readPart,
  splitText,
  type TextFile,
  type TextForm,
  type TextOptions,
  type TextPart,
  Texts,
  textBytesOf,
  textForms,
  textParts,
} from "./texts/index.ts";
export { type TokenPart, TokenParts, type TokenPartsOptions, tokenParts } from "./token-parts.ts";
export { type TracedSpan, traceWindow } from "./trace.ts";
export { type Verification, verifyPrepared } from "./verify.ts";
export { type EncodedDocument, type WrittenShard, writeShards } from "./write-shards.ts";
