// The program for runs of one length T, on the weights and the cache that all lengths share.
import { type Backend, bindByName, type DeviceBuffer, type Program } from "../backend/index.ts";
import { type InferenceGraph, inferenceGraph, type LlamaConfig } from "../model/index.ts";

export class Runner {
  readonly #graph: InferenceGraph;
  readonly #program: Program;
  readonly #buffers: ReadonlyMap<string, DeviceBuffer>;

  private constructor(graph: InferenceGraph, program: Program, buffers: ReadonlyMap<string, DeviceBuffer>) {
    this.#graph = graph;
    this.#program = program;
    this.#buffers = buffers;
  }

  /** @param shared buffers by name of all that does not depend on the length; what does is allocated here. */
  static async compile(
    backend: Backend,
    config: LlamaConfig,
    size: { readonly length: number; readonly cacheRows: number },
    shared: ReadonlyMap<string, DeviceBuffer>,
  ): Promise<Runner> {
    const graph = inferenceGraph(config, { ...size, logits: "one" });
    const buffers = new Map(shared);
    try {
      const program = await backend.compile(graph.graph, await bindByName(backend, graph.graph, buffers));
      return new Runner(graph, program, buffers);
    } catch (error) {
      disposeOwn(buffers, graph);
      throw error;
    }
  }

  /**
   * Runs ids [at most T] at positions start, start + 1, …; their keys and values go to these rows of the cache.
   * Rows of padding come behind, where no real row looks and where the next run writes over them.
   * @returns logits [V] of the last id
   */
  async run(ids: readonly number[], start: number): Promise<Float32Array> {
    const T = this.#graph.tokens.shape[0]!;
    await Promise.all([
      this.#write("tokens", ids),
      this.#write(
        "positions",
        Int32Array.from({ length: T }, (_, t) => start + t),
      ),
      this.#write("start", [start]),
      this.#write("row", [ids.length - 1]),
    ]);
    await this.#program.run();
    return (await this.#program.read(this.#graph.logits)) as Float32Array;
  }

  dispose(): void {
    this.#program.dispose();
    disposeOwn(this.#buffers, this.#graph);
  }

  #write(name: string, values: ArrayLike<number>): Promise<void> {
    return this.#buffers.get(name)!.write(values);
  }
}

/** The inputs that have the graph's length. */
function disposeOwn(buffers: ReadonlyMap<string, DeviceBuffer>, { tokens, positions }: InferenceGraph): void {
  for (const { name } of [tokens, positions]) buffers.get(name)?.dispose();
}
