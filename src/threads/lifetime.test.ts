// What an engine takes from the machine, and that it gives it back.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { nodeThreads } from "../host/index.ts";
import { assemble, busy, count } from "./kernels.test.util.ts";
import { openWasmEngine } from "./wasm-engine.ts";

const step = (args: number[], units: number) => ({ kernel: 0, args, units, grain: 1 });

// Linux alone says how many threads a process has.
test.skipIf(!existsSync("/proc/self/task"))("twenty engines, opened and disposed of, leave no thread and no memory", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const round = async (): Promise<void> => {
    await using engine = await openWasmEngine({ host: nodeThreads, threads: 2 });
    const bytes = 40e6;
    const address = engine.allocate(bytes);
    new Uint8Array(engine.memory.buffer, address, bytes).fill(1);
    await engine.run(await engine.load(assemble(count), [[step([address], 10)]]));
  };
  // Shared memory is given back by the collector, which does the last of it in the background.
  const taken = async (): Promise<{ threads: number; bytes: number }> => {
    for (let i = 0; i < 3; i++) {
      collect();
      await sleep(50);
    }
    return { threads: readdirSync("/proc/self/task").length, bytes: process.memoryUsage.rss() };
  };
  for (let i = 0; i < 5; i++) await round();
  const before = await taken();
  for (let i = 0; i < 20; i++) await round();
  let after = await taken();
  // Twenty leaked buffers would be 800 MB; the collector may keep a few for a while.
  const isGivenBack = () => after.threads <= before.threads && after.bytes - before.bytes < 200e6;
  for (let looks = 0; looks < 50 && !isGivenBack(); looks++) after = await taken();
  expect(after.threads).toBeLessThanOrEqual(before.threads);
  expect(after.bytes - before.bytes).toBeLessThan(200e6);
});

test("an idle engine uses no CPU", async () => {
  await using engine = await openWasmEngine({ host: nodeThreads, threads: 2 });
  const program = await engine.load(assemble(busy), [[step([1000], 50)], [step([1000], 50)]]);
  for (let i = 0; i < 20; i++) await engine.run(program);
  const used = async (): Promise<number> => {
    const before = process.cpuUsage();
    await sleep(100);
    const { user, system } = process.cpuUsage(before);
    return user + system;
  };
  // Two threads that spin use up to 200,000 microseconds each time; the test runner and the compiler of V8 use some of the first times only.
  let least = await used();
  for (let looks = 0; looks < 20 && least >= 50_000; looks++) least = Math.min(least, await used());
  expect(least).toBeLessThan(50_000);
});

const script = (body: string): { status: number | null; stdout: string; stderr: string } => {
  const door = (name: string): string => JSON.stringify(new URL(`../${name}.js`, import.meta.url).href);
  const imports = `import { openWasmEngine } from ${door("threads/index")}; import { nodeThreads } from ${door("host/index")};
    import * as kernels from ${door("threads/kernels.test.util")};`;
  const args = ["--input-type=module", "--eval", `${imports}\n${body}`];
  return spawnSync(process.execPath, args, { encoding: "utf8", timeout: 240_000 });
};

test("a process that forgets to dispose finishes its runs, and then exits by itself", () => {
  const { status, stdout, stderr } = script(`
    const engine = await openWasmEngine({ host: nodeThreads, threads: 2 });
    const program = await engine.load(kernels.assemble(kernels.busy), [[{ kernel: 0, args: [20_000_000], units: 4, grain: 1 }]]);
    engine.run(program).then(() => engine.run(program)).then(() => console.log("ran"));
  `);
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "ran\n", stderr: "" });
});

test("a process may dispose at any moment, and goes on behind it", () => {
  const { status, stdout, stderr } = script(`
    for (let i = 0; i < 10; i++) {
      const engine = await openWasmEngine({ host: nodeThreads, threads: 2 });
      const program = await engine.load(kernels.assemble(kernels.nothing), Array(i).fill([{ kernel: 0, args: [], units: 2, grain: 1 }]));
      for (let run = 0; run < 10; run++) await engine.run(program);
      await engine.dispose();
    }
    console.log("disposed");
  `);
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "disposed\n", stderr: "" });
});

test("a process may exit in the middle of a run", () => {
  const { status } = script(`
    const engine = await openWasmEngine({ host: nodeThreads, threads: 2 });
    const program = await engine.load(kernels.assemble(kernels.forever), [[{ kernel: 0, args: [], units: 2, grain: 1 }]]);
    engine.run(program);
    setTimeout(() => process.exit(7), 50);
  `);
  expect(status).toBe(7);
});
