// Which precision a run's matrix products get where the recipe leaves it to the machine: the one that is faster here, measured on the run's own sizes.
import { type Backend, BoundProgram } from "../backend/index.ts";
import { type Precision, sizeOf } from "../base/index.ts";
import { f32, Graph, linear } from "../graph/index.ts";
import type { CompleteRecipe, WholeRecipe } from "./recipe.ts";

/** How much faster bfloat16 must be: it gives up 16 bits of every operand. */
const worthIt = 1.2;
/** Sizes beyond these tell nothing more. */
const most = { rows: 512, channels: 1024 };
const rounds = 7;

/** A recipe whose precision is "auto", with the machine's answer; others as they are. Takes some milliseconds. */
export async function settlePrecision(recipe: CompleteRecipe, backend: Backend): Promise<WholeRecipe> {
  const { precision, model, batch, length } = recipe;
  if (precision !== "auto") return { ...recipe, precision };
  const sizes = { rows: batch * length, inputs: model.dim, outputs: model.hiddenDim };
  return { ...recipe, precision: (await bfloat16Gain(backend, sizes)) >= worthIt ? "bfloat16" : "float32" };
}

/** The sizes of a linear layer's product. */
export interface LinearSizes {
  readonly rows: number;
  readonly inputs: number;
  readonly outputs: number;
}

/** The time of a linear layer in float32 over that in bfloat16: the fastest of several runs each, taken in turns. */
export async function bfloat16Gain(backend: Backend, { rows, inputs, outputs }: LinearSizes): Promise<number> {
  const sizes = [Math.min(rows, most.rows), Math.min(inputs, most.channels), Math.min(outputs, most.channels)] as const;
  using float = await openLinear(backend, "float32", sizes);
  using brain = await openLinear(backend, "bfloat16", sizes);
  let [slow, fast] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let round = 0; round < rounds; round++) {
    slow = Math.min(slow, await float.time());
    fast = Math.min(fast, await brain.time());
  }
  return slow / fast;
}

/** Several layers in a row, so that starting the run does not count. */
async function openLinear(backend: Backend, precision: Precision, [rows, inputs, outputs]: readonly [number, number, number]) {
  const graph = new Graph(precision);
  const x = graph.input("x", f32(rows, inputs));
  const w = graph.input("w", f32(outputs, inputs));
  for (let i = 0; i < 4; i++) graph.keep(linear(x, w));
  const program = await BoundProgram.compile(backend, graph, new Map());
  for (const { name, shape } of [x, w])
    await program.write(
      name,
      Float32Array.from({ length: sizeOf(shape) }, (_, i) => (i % 17) / 17 - 0.5),
    );
  const time = async () => {
    const start = performance.now();
    await program.run();
    return performance.now() - start;
  };
  return { time, [Symbol.dispose]: () => program.dispose() };
}
