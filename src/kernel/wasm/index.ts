export { compileWasm } from "./function-body.ts";
export { assembleModule } from "./module.ts";
export { wasm128, wasmRelaxed } from "./target.ts";
