import { expect, test } from "vitest";
import { activation, f32, Graph, linear } from "../../graph/index.ts";
import { openExecutor } from "../../host/index.ts";
import * as library from "../../kernel/library/index.ts";
import { wide16 } from "../../kernel/testing.test.helper.ts";
import type { Backend, DeviceBuffer } from "../index.ts";
import { cpuBackend } from "./cpu.ts";
import { interpreterExecutor } from "./interpreter-executor.ts";
import { targetsHere } from "./targets.test.helper.ts";
import { partOf, timedExecutor } from "./timed-executor.ts";

/** A product, and an activation behind it. */
async function openProduct(backend: Backend) {
  const graph = new Graph();
  const tensors = [graph.input("x", f32(64, 96)), graph.input("w", f32(160, 96))] as const;
  graph.keep(activation(linear(...tensors), { activation: "gelu", beta: 1 }));
  const buffers = new Map<(typeof tensors)[number], DeviceBuffer>();
  for (const tensor of tensors) buffers.set(tensor, await backend.allocate(tensor, tensor.name));
  return backend.compile(graph, buffers);
}

test.each(await targetsHere())("runs on %s are timed kernel by kernel, and shares of the threads' time are 1 in sum", async (target) => {
  const timed = timedExecutor(await openExecutor({ target, threads: 2 }));
  await using backend = cpuBackend(timed.executor);
  const program = await openProduct(backend);
  expect(timed.take()).toMatchObject({ runs: 0, wall: 0, kernels: [] });
  for (let i = 0; i < 3; i++) await program.run();
  const { runs, wall, kernels, shares } = timed.take();
  expect(runs).toBe(3);
  expect(kernels.map(([name]) => name).sort()).toEqual(["activation", "matmul", "packMatrix"]);
  expect(kernels.reduce((sum, [, time]) => sum + time, 0)).toBeLessThanOrEqual(2 * wall);
  expect(shares).toMatchObject({ attention: 0, rounding: 0 });
  for (const part of [shares.products, shares.other, shares.waiting]) expect(part).toBeGreaterThan(0);
  expect(Object.values(shares).reduce((sum, share) => sum + share)).toBeCloseTo(1, 12);
  expect(timed.take()).toMatchObject({ runs: 0, wall: 0, kernels: [] });
  await program.run();
  expect(timed.take().runs).toBe(1);
});

test("an executor that times nothing is refused, not told as one that only waits", async () => {
  await using backend = cpuBackend(timedExecutor(interpreterExecutor(wide16)).executor);
  const program = await openProduct(backend);
  await expect(program.run()).rejects.toThrow("timed 0 of 1 threads");
});

test("each kernel of the library that computes passes of inference belongs to its part", () => {
  const parts = Object.fromEntries(
    Object.values(library).flatMap((definition) =>
      typeof definition === "object" && "build" in definition ? [[definition.name, partOf(definition.name)]] : [],
    ),
  );
  expect(parts).toMatchObject({
    ...{
      matmul: "products",
      quantisedMatmul: "products",
      packQuantised: "products",
      quantiseLines: "rounding",
      normLines: "rounding",
      gatedLines: "products",
    },
    ...{ pagedAttention: "attention", mergeParts: "attention", pageWrite: "attention", pageCopy: "attention" },
    ...{ rmsNorm: "other", glu: "other", rope: "other", embeddingRows: "other", topKBlocks: "other" },
  });
});
