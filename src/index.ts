// The library's front door: what `import { … } from "cria"` gives.
export * from "./base/index.ts";
