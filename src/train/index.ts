export { type LoopOptions, type Position, type StepMetrics, trainSteps } from "./loop.ts";
export { BadLossError, LossWatch } from "./loss-watch.ts";
export {
  type CompleteRecipe,
  completeRecipe,
  freeChanges,
  parseRecipe,
  type RecipeChange,
  recipeChanges,
  type TrainRecipe,
  trainRecipe,
  type WholeRecipe,
} from "./recipe.ts";
export { lastSegment, learningRateAt, plansAfter, type Schedule, scheduleOf } from "./schedule.ts";
export { bfloat16Gain, settlePrecision } from "./settle-precision.ts";
export {
  type AdamwSettings,
  type Backward,
  gatherGraph,
  type Hyper,
  hyperValues,
  llamaAdamw,
  stepGraph,
  type Update,
  updateGraph,
} from "./step-graphs.ts";
export { partBytes, type StoredTensor } from "./stored-tensor.ts";
export { type OpenOptions, type StepResult, Trainer, type TrainerOptions } from "./trainer.ts";
export { trainerOptions } from "./trainer-options.ts";
export { type CheckedMemory, checkMemory, type TrainingMemory } from "./training-memory.ts";
