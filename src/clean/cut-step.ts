// A step that makes several documents of one. A pass begins with it, so that all steps behind it see the parts alone.
import type { z } from "zod";
import type { CleanDocument } from "./document.ts";
import type { StepRow } from "./step.ts";

/** A step that cuts documents, with its parameters set. */
export interface CutStep {
  /** What takes the document's place, in its order; the document itself where nothing is to be cut. */
  parts(document: CleanDocument): Iterable<CleanDocument>;
}

/** A kind of step that cuts documents. */
export interface CutStepRow<Parameters extends z.ZodType = z.ZodType>
  extends Omit<StepRow<Parameters>, "open" | "openStatistic" | "files"> {
  openCut(parameters: z.output<Parameters>): CutStep;
}

/** A row whose parameters are typed by its schema. */
export function cutStepRow<Parameters extends z.ZodType>(row: CutStepRow<Parameters>): CutStepRow<Parameters> {
  return row;
}
