import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { openCpuBackend } from "./open-backend.ts";

/** What becomes of a backend in a process where nobody can import koffi: its name, or why there is none. */
function openedWithoutKoffi(target: string): string {
  const refusing = `export const resolve = async (name, context, next) => {
    if (name === "koffi") throw Object.assign(new Error("Cannot find package"), { code: "ERR_MODULE_NOT_FOUND" });
    return next(name, context);
  }`;
  const script = `
    import { register } from "node:module";
    register("data:text/javascript," + encodeURIComponent(${JSON.stringify(refusing)}));
    const { openCpuBackend } = await import(${JSON.stringify(new URL("./index.js", import.meta.url).href)});
    const backend = await openCpuBackend({ threads: 1 }).catch((error) => ({ name: error.message, dispose: () => undefined }));
    console.log(backend.name);
    await backend.dispose();
  `;
  const environment = { ...process.env, CRIA_TARGET: target, CRIA_WASM_FMA: "0" };
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", script], { encoding: "utf8", env: environment });
  expect(stderr).toBe("");
  return stdout;
}

test.skipIf(process.arch !== "x64")("without koffi everything runs on wasm, one line says why, and no more can be had", () => {
  const why = "the package koffi, which calls machine code, is not installed (npm install koffi)";
  expect(openedWithoutKoffi("")).toBe(`cpu: wasm, 1 thread; no machine code: ${why}\n`);
  expect(openedWithoutKoffi("wasm")).toBe("cpu: wasm, 1 thread\n");
  expect(openedWithoutKoffi("avx512")).toBe(`[cpu] CRIA_TARGET is "avx512", but ${why}: unset it, or set it to wasm\n`);
});

test("an option that is misspelt is named", async () => {
  await expect(openCpuBackend({ thread: 2 } as never)).rejects.toThrow('[cpu] unknown option "thread", did you mean "threads"?');
});
