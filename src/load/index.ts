export { type ModelFormat, type OpenModel, openModel } from "./open-model.ts";
