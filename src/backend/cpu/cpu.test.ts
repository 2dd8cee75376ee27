import { expect, test } from "vitest";
import { f32 } from "../../graph/index.ts";
import { chooseTarget, openCpuBackend } from "../../host/index.ts";
import { wide16 } from "../../kernel/testing.test.helper.ts";
import { goldenConformance } from "../../model/golden-conformance.ts";
import { conformance } from "../conformance.ts";
import { cpuBackend } from "./cpu.ts";
import { interpreterExecutor } from "./interpreter-executor.ts";
import { wasmExecutor } from "./wasm-executor.ts";

const options = { tolerance: 2e-5 };

conformance("cpu: wasm, without worker threads", async () => cpuBackend(await wasmExecutor({ relaxedSimd: false })), options);
conformance("cpu: wasm, three threads", () => openCpuBackend({ target: "wasm", threads: 3 }), options);
conformance("cpu: wasm, addresses beyond 2 GiB", openBeyond2GiB, options);
conformance("cpu: interpreter with 16 lanes", async () => cpuBackend(interpreterExecutor(wide16)), options);

test("an allocation beyond the interpreter's memory is refused and leaves it as it was", () => {
  const executor = interpreterExecutor(wide16);
  const { left } = executor.room();
  expect(() => executor.allocate(left + 1)).toThrow(`${left + 1} bytes do not fit`);
  expect(executor.room().left).toBe(left);
  expect(executor.allocate(left)).toBeGreaterThan(0);
});

goldenConformance("cpu: wasm, two threads", () => openCpuBackend({ target: "wasm", threads: 2 }));

for (const target of ["avx512", "avx2"]) {
  const obstacle = await chooseTarget(target).then(
    () => undefined,
    (error: Error) => error.message,
  );
  if (obstacle !== undefined) {
    console.log(`${target} is not tested here: ${obstacle}`);
    continue;
  }
  conformance(`cpu: ${target}, one thread`, () => openCpuBackend({ target, threads: 1 }), options);
  conformance(`cpu: ${target}, three threads`, () => openCpuBackend({ target, threads: 3 }), options);
  goldenConformance(`cpu: ${target}, two threads`, () => openCpuBackend({ target, threads: 2 }));
}

/** A backend whose every address is negative as a signed integer. What is never touched takes no memory. */
async function openBeyond2GiB() {
  const backend = await openCpuBackend({ target: "wasm", threads: 2 });
  await backend.allocate(f32(2 ** 29), "everything below");
  return backend;
}
