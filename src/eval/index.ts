export { bitsPerByte, perplexity, type TextSize } from "./bits-per-byte.ts";
export { type EvaluateOptions, type Evaluation, HeldOutEvaluator, type HeldOutText } from "./held-out.ts";
export { spreadBatches } from "./spread-batches.ts";
