export { evaluate, zeros } from "./evaluate.ts";
export { referenceBackend } from "./reference.ts";
