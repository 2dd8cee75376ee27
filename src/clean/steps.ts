// All steps, one row each: those that look at one document at a time, those that cut documents, and those that compare all.
import type { CorpusStepRow } from "./corpus-step.ts";
import type { CutStepRow } from "./cut-step.ts";
import type { StepRow } from "./step.ts";
import { blockUrls, blockWords } from "./steps/block-lists.ts";
import { c4Paragraphs, c4Quality } from "./steps/c4.ts";
import { classifier } from "./steps/classifier.ts";
import { codeHeader } from "./steps/code-header.ts";
import { codeLicence } from "./steps/code-licence.ts";
import { codeOrigin } from "./steps/code-origin.ts";
import { codeQuality } from "./steps/code-quality.ts";
import { cutDocuments } from "./steps/cut-documents.ts";
import { decontaminate } from "./steps/decontaminate.ts";
import { dedupDocuments, dedupLines } from "./steps/dedup.ts";
import { dedupNear } from "./steps/dedup-near.ts";
import { dedupSimhash } from "./steps/dedup-simhash.ts";
import { finewebQuality } from "./steps/fineweb.ts";
import { gopherQuality } from "./steps/gopher-quality.ts";
import { gopherRepetition } from "./steps/gopher-repetition.ts";
import { gutenberg } from "./steps/gutenberg.ts";
import { jsonArticle } from "./steps/json-article.ts";
import { language } from "./steps/language.ts";
import { latex } from "./steps/latex.ts";
import { length } from "./steps/length.ts";
import { maskPersonal } from "./steps/mask-personal.ts";
import { perplexity } from "./steps/perplexity.ts";
import { sample } from "./steps/sample.ts";
import { unwrapLines } from "./steps/unwrap-lines.ts";
import { wikitext } from "./steps/wikitext.ts";
import { wordnet } from "./steps/wordnet.ts";

/**
 * The version of what readers give and steps decide, which is raised when one of them comes to do otherwise. Work that was begun by another version is
 * not gone on with: its documents went by other rules.
 */
export const rulesVersion = 5;

/** The steps that recipes may name. */
export const stepRows: readonly StepRow[] = [
  ...[
    length,
    language,
    perplexity,
    gopherQuality,
    gopherRepetition,
    finewebQuality,
    c4Quality,
    c4Paragraphs,
    codeQuality,
    codeLicence,
    codeOrigin,
  ],
  ...[classifier, blockUrls, blockWords, maskPersonal, decontaminate, wikitext, latex, gutenberg],
  ...[unwrapLines, wordnet, jsonArticle, codeHeader, sample],
];

/** The steps that make several documents of one that recipes may name. */
export const cutStepRows: readonly CutStepRow[] = [cutDocuments];

/** The steps over all documents that recipes may name. */
export const corpusStepRows: readonly CorpusStepRow[] = [dedupLines, dedupDocuments, dedupNear, dedupSimhash];
