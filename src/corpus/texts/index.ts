export {
  type FormKey,
  type FormName,
  formCalled,
  formNames,
  noteKinds,
  type PageContent,
  pageContents,
  type ReadingNote,
  type TextDocument,
  type TextFacts,
  type TextForm,
  type TextOptions,
  textForms,
} from "./forms.ts";
export { findInstalled, packageOf } from "./installed-paths.ts";
export { looksLikeText } from "./looks-like-text.ts";
export { readPart, type TextPart, textParts } from "./parts.ts";
export { type DocumentsOptions, readDocuments } from "./read-file.ts";
export { splitText } from "./split-text.ts";
export { isElsewhere, type OpenOptions, openEach, openTexts, type PlacedDocument, type TextFile, Texts, textBytesOf } from "./texts.ts";
