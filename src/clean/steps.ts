// All steps, one row each: those that look at one document at a time, and those that compare all.
import type { CorpusStepRow } from "./corpus-step.ts";
import type { StepRow } from "./step.ts";
import { c4Paragraphs, c4Quality } from "./steps/c4.ts";
import { dedupDocuments, dedupLines } from "./steps/dedup.ts";
import { dedupNear } from "./steps/dedup-near.ts";
import { finewebQuality } from "./steps/fineweb.ts";
import { gopherQuality } from "./steps/gopher-quality.ts";
import { gopherRepetition } from "./steps/gopher-repetition.ts";
import { language } from "./steps/language.ts";

/** The steps that recipes may name. */
export const stepRows: readonly StepRow[] = [language, gopherQuality, gopherRepetition, finewebQuality, c4Quality, c4Paragraphs];

/** The steps over all documents that recipes may name. */
export const corpusStepRows: readonly CorpusStepRow[] = [dedupLines, dedupDocuments, dedupNear];
