import { expect, test } from "vitest";
import { add, f32, Graph } from "../graph/index.ts";
import { bindByName, type DeviceBuffer } from "./index.ts";
import { referenceBackend } from "./reference/index.ts";

test("graphs share buffers by name, and a name stands for one tensor of a graph", async () => {
  const backend = referenceBackend();
  const buffers = new Map<string, DeviceBuffer>();
  const [a, b] = [new Graph(), new Graph()];
  const [xOfA, xOfB, y] = [a.state("x", f32(2)), b.state("x", f32(2)), b.input("y", f32(2))];
  add(xOfB, y);
  const bindings = await bindByName(backend, a, buffers);
  expect((await bindByName(backend, b, buffers)).get(xOfB)).toBe(bindings.get(xOfA));
  expect([...buffers.keys()]).toEqual(["x", "y"]);
  a.input("x", f32(2));
  await expect(bindByName(backend, a, buffers)).rejects.toThrow('two tensors are called "x"');
  await backend.dispose();
});
