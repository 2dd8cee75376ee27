// Every gradient against central differences in float64, for every op that has one and every example, because they exist.
import { describe, expect, test } from "vitest";
import { Rng } from "../../base/index.ts";
import { type Attributes, type Example, exampleValues, f32, Graph, gradients, type Op, ops, type Values } from "../../graph/index.ts";
import { evaluate } from "./index.ts";

for (const op of ops.filter((op) => op.gradient || op.ownGradient))
  describe(op.name, () => {
    op.examples.forEach((example, i) => {
      if (example.differentiable !== false)
        test(`example ${i}: ${JSON.stringify(example.attributes)}`, () => compare(op, example, new Rng(7).fork(`${op.name} ${i}`)));
    });
  });

function compare(op: Op<Attributes>, example: Example<Attributes>, rng: Rng): void {
  const graph = new Graph();
  const inputs = example.inputs.map((type, i) =>
    type.role === "weight" ? graph.weight(`input ${i}`, type) : graph.input(`input ${i}`, type),
  );
  const values = new Map(inputs.map((tensor, i) => [tensor, exampleValues(example.inputs[i]!, rng)] as const));
  const output = graph.apply(op, inputs, example.attributes)[0]!;
  const seed = graph.input("seed", f32(...output.shape));
  values.set(seed, op.ownGradient ? Float64Array.of(1) : exampleValues(seed, rng));
  const scalar = () => dot(evaluate(graph, values).get(output)!, values.get(seed)!);
  const wanted = inputs.filter(({ dtype, role }, i) => dtype === "f32" && role === "input" && example.inputs[i]?.differentiable !== false);

  const differences = wanted.map((tensor) => centralDifferences(scalar, values.get(tensor)!));
  const analytic = gradients(op.ownGradient ? output : new Map([[output, seed]]), wanted);
  const results = evaluate(graph, values);
  wanted.forEach((tensor, i) => {
    expect(relativeError(results.get(analytic.get(tensor)!)!, differences[i]!)).toBeLessThan(1e-6);
  });
}

/** (f(x + h) − f(x − h)) / 2h by element, for at most about 40 spread over all; `values` is as before afterwards. */
function centralDifferences(f: () => number, values: Values): Map<number, number> {
  const h = 1e-5;
  const stride = Math.ceil(values.length / 40);
  const differences = new Map<number, number>();
  for (let i = 0; i < values.length; i += stride) {
    const value = values[i]!;
    values[i] = value + h;
    const above = f();
    values[i] = value - h;
    const below = f();
    values[i] = value;
    differences.set(i, (above - below) / (2 * h));
  }
  return differences;
}

/** The largest difference, relative to the largest magnitude. */
function relativeError(actual: Values, expected: ReadonlyMap<number, number>): number {
  let scale = 1e-12;
  let worst = 0;
  for (const [i, value] of expected) {
    scale = Math.max(scale, Math.abs(value));
    worst = Math.max(worst, Math.abs(actual[i]! - value));
  }
  return worst / scale;
}

function dot(a: Values, b: Values): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
