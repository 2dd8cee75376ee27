export { Chain, type ChainStep, openChain, type Passage, stepEntries } from "./chain.ts";
export { CleanDocument, type Facts } from "./document.ts";
export { type Deed, type Dropped, isDropped, type Outcome, type Step, type StepRow, stepRow } from "./step.ts";
export { stepRows } from "./steps.ts";
