import { f32 } from "../../graph/index.ts";
import { wide16 } from "../../kernel/testing.test.helper.ts";
import { goldenConformance } from "../../model/golden-conformance.ts";
import { conformance } from "../conformance.ts";
import { cpuBackend, openCpuBackend } from "./cpu.ts";
import { interpreterExecutor } from "./interpreter-executor.ts";

conformance("cpu: wasm, one thread", () => openCpuBackend({ threads: 1 }), { tolerance: 2e-5 });
conformance("cpu: wasm, three threads", () => openCpuBackend({ threads: 3 }), { tolerance: 2e-5 });
conformance("cpu: wasm, addresses beyond 2 GiB", openBeyond2GiB, { tolerance: 2e-5 });
conformance("cpu: interpreter with 16 lanes", async () => cpuBackend(interpreterExecutor(wide16)), { tolerance: 2e-5 });

goldenConformance("cpu: wasm, two threads", () => openCpuBackend({ threads: 2 }));

/** As a signed integer, every address is negative. What is never touched takes no memory. */
async function openBeyond2GiB() {
  const backend = await openCpuBackend({ threads: 2 });
  await backend.allocate(f32(2 ** 29), "everything below");
  return backend;
}
