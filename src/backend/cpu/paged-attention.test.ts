// What the ops' examples cannot say of pages: a row has the same bits however sequences are cut into runs, wherever their pages lie, and whatever lies
// beside what it may see. `paged-attention.long.test.ts` tries more cuts, and the interpreter with every number of lanes.

import { openCpuBackend } from "../../host/index.ts";
import { wide16 } from "../../kernel/testing.test.helper.ts";
import { cpuBackend } from "./cpu.ts";
import { interpreterExecutor } from "./interpreter-executor.ts";
import { testCuts } from "./paged-attention.test.helper.ts";
import { targetsHere } from "./targets.test.helper.ts";

testCuts("interpreter, 16 lanes", async () => cpuBackend(interpreterExecutor(wide16)), [2, 3]);
for (const target of await targetsHere()) testCuts(`${target}, three threads`, () => openCpuBackend({ target, threads: 3 }), [2, 3]);
