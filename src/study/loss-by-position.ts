// Loss at each position of long windows, by a model whose weights are given: how far back positions still mean something to it.
import { type Backend, BoundProgram, type DeviceBuffer } from "../backend/index.ts";
import { check } from "../base/index.ts";
import type { Tokens } from "../batches/index.ts";
import { type BatchSize, constantRows, initialise, type LlamaConfig, lossGraph, writeBatch, writePositions } from "../model/index.ts";

/**
 * Mean loss in nats at every position, [length], over `windows` windows at even distances over the text.
 * @param weights by row name
 */
export async function lossByPosition(
  backend: Backend,
  config: LlamaConfig,
  weights: ReadonlyMap<string, Float32Array>,
  text: Tokens,
  { batch, length, windows }: BatchSize & { readonly windows: number },
): Promise<Float64Array> {
  const distance = Math.floor((text.length - length - 1) / Math.max(1, windows - 1));
  check(
    distance > 0,
    "study",
    () => `the held-out text has ${text.length} tokens but ${windows} windows of ${length} were asked for: give it more text`,
    { ways: ["text"] },
  );
  const states = new Map<string, DeviceBuffer>();
  const built = lossGraph(config, { batch, length });
  const losses = built.graph.keep(built.losses);
  const program = await BoundProgram.compile(backend, built.graph, states);
  try {
    for (const [name, values] of [...initialise(constantRows(config), 0), ...weights]) await states.get(name)!.write(values);
    await writePositions(program, config, { batch, length });
    const sums = new Float64Array(length);
    const rounds = Math.ceil(windows / batch);
    for (let round = 0; round < rounds; round++) {
      const starts = Array.from({ length: batch }, (_, row) => ((round * batch + row) % windows) * distance);
      const read = await Promise.all(starts.map((start) => text.read(start, length + 1)));
      const tokens = read.flatMap((window) => [...window.subarray(0, length)]);
      await writeBatch(program, { tokens, targets: read.flatMap((window) => [...window.subarray(1)]) });
      await program.run();
      (await program.read(losses)).forEach((loss, at) => {
        sums[at % length]! += loss / (rounds * batch);
      });
    }
    return sums;
  } finally {
    program.dispose();
    for (const buffer of states.values()) buffer.dispose();
  }
}
