// All steps that look at one document at a time, one row each.
import type { StepRow } from "./step.ts";
import { c4Paragraphs, c4Quality } from "./steps/c4.ts";
import { finewebQuality } from "./steps/fineweb.ts";
import { gopherQuality } from "./steps/gopher-quality.ts";
import { gopherRepetition } from "./steps/gopher-repetition.ts";

/** The steps that recipes may name. */
export const stepRows: readonly StepRow[] = [gopherQuality, gopherRepetition, finewebQuality, c4Quality, c4Paragraphs];
