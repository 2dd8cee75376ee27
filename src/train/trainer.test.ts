import { expect, test } from "vitest";
import type { Backend } from "../backend/index.ts";
import { referenceBackend } from "../backend/reference/index.ts";
import { fail } from "../base/index.ts";
import { tinyRecipe } from "./tiny-run.test.helper.ts";
import { Trainer } from "./trainer.ts";

const cases: readonly [accumulation: number, compiles: number][] = [
  [1, 0],
  [2, 0],
  [2, 1],
  [2, 2],
];

test.each(cases)("with %i batches a step, what stood when compiling failed after %i programs is freed", async (accumulation, compiles) => {
  await using backend = referenceBackend();
  const counted = countHeld(backend, compiles);
  await expect(openTiny(counted.backend, accumulation)).rejects.toThrow("no memory");
  expect(counted.made).toBeGreaterThan(compiles);
  expect(counted.held).toBe(0);
});

test("an ended trainer holds nothing", async () => {
  await using backend = referenceBackend();
  const counted = countHeld(backend, 3);
  (await openTiny(counted.backend, 2))[Symbol.dispose]();
  expect(counted.held).toBe(0);
});

function openTiny(backend: Backend, accumulation: number): Promise<Trainer> {
  const { model: config, batch, length, recompute, seed } = tinyRecipe();
  const adamw = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, decay: 0.1 };
  return Trainer.open(backend, { config, size: { batch, length, recompute }, accumulation, adamw, clipNorm: 1, seed });
}

/** The backend, counting the buffers and programs made and not yet disposed of; compiling fails after so many programs. */
function countHeld(backend: Backend, compiles: number) {
  const counts = { made: 0, held: 0 };
  const count = <T extends { dispose(): void }>(one: T): T => {
    const dispose = one.dispose.bind(one);
    counts.made++;
    counts.held++;
    one.dispose = () => {
      counts.held--;
      dispose();
    };
    return one;
  };
  let left = compiles;
  const counting: Backend = {
    name: backend.name,
    target: backend.target,
    workspaceBytes: (graph) => backend.workspaceBytes(graph),
    memory: () => backend.memory(),
    allocate: async (...args) => count(await backend.allocate(...args)),
    compile: async (...args) => (left-- > 0 ? count(await backend.compile(...args)) : fail("test", "no memory")),
    dispose: () => backend.dispose(),
    [Symbol.asyncDispose]: () => backend.dispose(),
  };
  return Object.assign(counts, { backend: counting });
}
