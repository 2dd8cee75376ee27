import { expect, test } from "vitest";
import { accumulate, add, f32, Graph } from "../graph/index.ts";
import { BoundProgram, type DeviceBuffer } from "./index.ts";
import { referenceBackend } from "./reference/index.ts";

/** total += x, of `length` elements; twice the total is kept. */
function gatherGraph(length: number) {
  const graph = new Graph();
  const [total, x] = [graph.state("total", f32(length)), graph.input("x", f32(length))] as const;
  accumulate(total, x);
  return { graph, twice: graph.keep(add(total, total)) };
}

test("programs share states by name, and each has inputs of its own", async () => {
  const backend = referenceBackend();
  const states = new Map<string, DeviceBuffer>();
  const [a, b] = [gatherGraph(2), gatherGraph(2)];
  using first = await BoundProgram.compile(backend, a.graph, states);
  using second = await BoundProgram.compile(backend, b.graph, states);
  expect([...states.keys()]).toEqual(["total"]);
  await first.write("x", [1, 2]);
  await expect(second.run()).rejects.toThrow("[backend] the program runs without its inputs x: write each of them once before");
  await second.write("x", [10, 20]);
  await first.run();
  await second.run();
  await first.run();
  expect([...(await first.read(a.twice))]).toEqual([24, 48]);
  await backend.dispose();
});

test("an input whose write failed was never written", async () => {
  const backend = referenceBackend();
  using program = await BoundProgram.compile(backend, gatherGraph(2).graph, new Map());
  await expect(program.write("x", [1, 2, 3])).rejects.toThrow("x");
  await expect(program.run()).rejects.toThrow("without its inputs x");
  await program.write("x", [1, 2]);
  await expect(program.write("x", [1, 2, 3])).rejects.toThrow("x");
  await program.run(); // what was written before is still there
  await backend.dispose();
});

test("inputs of one name may differ in type between programs, states may not", async () => {
  const backend = referenceBackend();
  const [long, short] = [new Graph(), new Graph()];
  add(long.input("x", f32(3)), long.input("x2", f32(3)));
  add(short.input("x", f32(2)), short.input("x2", f32(2)));
  const states = new Map<string, DeviceBuffer>();
  for (const graph of [long, short]) (await BoundProgram.compile(backend, graph, states)).dispose();
  expect(states.size).toBe(0);
  await BoundProgram.compile(backend, gatherGraph(3).graph, states);
  await expect(BoundProgram.compile(backend, gatherGraph(2).graph, states)).rejects.toThrow('state "total" is f32 [2]');
  await backend.dispose();
});

test("a name stands for one tensor of a graph, and an unknown input is named", async () => {
  const backend = referenceBackend();
  const { graph } = gatherGraph(2);
  const program = await BoundProgram.compile(backend, graph, new Map());
  await expect(program.write("xx", [1])).rejects.toThrow('the program has no input "xx", did you mean "x"?');
  graph.input("total", f32(2));
  await expect(BoundProgram.compile(backend, graph, new Map())).rejects.toThrow('two tensors are called "total"');
  await backend.dispose();
});

test("dispose frees the inputs and leaves the states", async () => {
  const backend = referenceBackend();
  const states = new Map<string, DeviceBuffer>();
  const program = await BoundProgram.compile(backend, gatherGraph(2).graph, states);
  program.dispose();
  await expect(program.write("x", [1, 2])).rejects.toThrow("disposed");
  expect([...(await states.get("total")!.read())]).toEqual([0, 0]);
  await backend.dispose();
});
