// The library's front door: what `import { … } from "cria"` gives.
export {
  type Choice,
  type CodeFolderState,
  type CpuOptions,
  chooseTarget,
  codeFolderState,
  defaultThreads,
  openCpuBackend,
} from "./host/index.ts";
export * from "./llama/library/index.ts";
export { Llama, type LoadOptions } from "./llama.ts";
export { type OpenModel, openAnyTokenizer as openTokenizer, openModel } from "./load/index.ts";
export type { ModelFormat, OpenChat } from "./open/index.ts";
