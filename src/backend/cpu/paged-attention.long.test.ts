// Many cuts of the same sequences on every target, and on the interpreter with every number of lanes.

import { openCpuBackend } from "../../host/index.ts";
import { wasm128 } from "../../kernel/index.ts";
import { wide8, wide16 } from "../../kernel/testing.test.helper.ts";
import { cpuBackend } from "./cpu.ts";
import { interpreterExecutor } from "./interpreter-executor.ts";
import { testCuts } from "./paged-attention.test.helper.ts";
import { targetsHere } from "./targets.test.helper.ts";

for (const target of [wasm128, wide8, wide16])
  testCuts(`interpreter, ${target.lanes} lanes`, async () => cpuBackend(interpreterExecutor(target)), [4, 5, 6, 7]);
for (const target of await targetsHere())
  for (const threads of [1, 2])
    testCuts(`${target}, threads: ${threads}`, () => openCpuBackend({ target, threads }), [
      4,
      ...Array.from({ length: 20 }, (_, i) => 5 + i),
    ]);
