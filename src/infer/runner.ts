// The program for runs of one length T, on the weights and the cache that all lengths share.
import { type Backend, BoundProgram, type DeviceBuffer } from "../backend/index.ts";
import { type InferenceGraph, inferenceGraph, type LlamaConfig, ropeInputs, ropeLength } from "../model/index.ts";

export class Runner {
  readonly #config: LlamaConfig;
  readonly #graph: InferenceGraph;
  readonly #program: BoundProgram;
  /** What RoPE's table in the program was made for: see `ropeLength`. */
  #ropeLength: number | undefined;

  private constructor(config: LlamaConfig, graph: InferenceGraph, program: BoundProgram) {
    this.#config = config;
    this.#graph = graph;
    this.#program = program;
  }

  /** @param held buffers by name of parameters and constants, in whatever layouts these have, and of the cache. */
  static async compile(
    backend: Backend,
    config: LlamaConfig,
    size: { readonly length: number; readonly cacheRows: number },
    held: Map<string, DeviceBuffer>,
  ): Promise<Runner> {
    const graph = inferenceGraph(config, { ...size, logits: "one", layoutOf: ({ name }) => held.get(name)!.type.dtype });
    return new Runner(config, graph, await BoundProgram.compile(backend, graph.graph, held));
  }

  /**
   * Runs ids [at most T] at positions start, start + 1, …; their keys and values go to these rows of the cache.
   * Rows of padding come behind, where no real row looks and where the next run writes over them.
   * @param longestPosition of all runs that the ids belong to, where a text is cut into several: RoPE's table is made for it
   * @returns logits [V] of the last id
   */
  async run(ids: readonly number[], start: number, longestPosition: number): Promise<Float32Array> {
    const T = this.#graph.tokens.shape[0]!;
    await this.#turnFor(longestPosition);
    await Promise.all([
      this.#program.write("tokens", ids),
      this.#program.write(
        "positions",
        Int32Array.from({ length: T }, (_, t) => start + t),
      ),
      this.#program.write("start", [start]),
      this.#program.write("row", [ids.length - 1]),
    ]);
    await this.#program.run();
    return (await this.#program.read(this.#graph.logits)) as Float32Array;
  }

  /** Writes RoPE's table where it is another one: only once, unless the scaling looks at the length of a run. */
  async #turnFor(longestPosition: number): Promise<void> {
    const length = ropeLength(this.#config, longestPosition);
    if (length === this.#ropeLength) return;
    for (const [name, values] of ropeInputs(this.#config, longestPosition)) await this.#program.write(name, values);
    this.#ropeLength = length;
  }

  dispose(): void {
    this.#program.dispose();
  }
}
