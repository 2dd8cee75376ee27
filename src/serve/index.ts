export type { EngineLimits } from "./checked-request.ts";
export type { ModelRow, ShelfOptions } from "./models.ts";
export type { ModelFacts, PageFacts, PageOptions } from "./page/index.ts";
export type {
  LookAttention,
  LookHistogram,
  LookMerge,
  LookModel,
  LookPiece,
  LookTensor,
  LookText,
  LookWay,
  LookWeights,
  LookWord,
} from "./page/look/index.ts";
export { RequestError } from "./request-error.ts";
export type { SecurityOptions } from "./security.ts";
export { type Concurrency, ServedModel } from "./served-model.ts";
export { type RunningServer, type ServeOptions, serve } from "./server.ts";
