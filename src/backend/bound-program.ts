// A program with inputs of its own, on states that programs share by name: a parameter is one buffer in training, evaluation and inference,
// while the tokens of one program are never those of another.
import { check, didYouMean, fail } from "../base/index.ts";
import type { Graph, MemoryPlan, Tensor } from "../graph/index.ts";
import type { Backend, DeviceBuffer, HostArray, PassRead, Program } from "./backend.ts";

/** Values for the first elements of an input. */
export interface InputWrite {
  readonly input: string;
  readonly values: ArrayLike<number>;
}

/** A program that owns its inputs and shares states with others by their names. */
export class BoundProgram implements Omit<Program, "pass"> {
  readonly #program: Program;
  readonly #inputs: ReadonlyMap<string, DeviceBuffer>;
  readonly #unwritten: Set<string>;

  /**
   * Compiles a graph on the states of its names; where there is none of a name yet, one is allocated and added to `states`.
   * @throws CriaError when a name stands twice in the graph, or memory does not suffice; the inputs are freed again then, states stay the caller's.
   */
  static async compile(backend: Backend, graph: Graph, states: Map<string, DeviceBuffer>): Promise<BoundProgram> {
    const inputs = new Map<string, DeviceBuffer>();
    try {
      const bindings = new Map<Tensor, DeviceBuffer>();
      for (const tensor of givenTensors(graph)) {
        const owner = tensor.role === "input" ? inputs : states;
        const buffer = owner.get(tensor.name) ?? (await backend.allocate(tensor, tensor.name));
        owner.set(tensor.name, buffer);
        bindings.set(tensor, buffer);
      }
      return new BoundProgram(await backend.compile(graph, bindings), inputs);
    } catch (error) {
      for (const buffer of inputs.values()) buffer.dispose();
      throw error;
    }
  }

  private constructor(program: Program, inputs: ReadonlyMap<string, DeviceBuffer>) {
    this.#program = program;
    this.#inputs = inputs;
    this.#unwritten = new Set(inputs.keys());
  }

  get plan(): MemoryPlan {
    return this.#program.plan;
  }

  /** Writes the first elements of an input, all of them by default. @throws CriaError when the graph has no input of this name. */
  async write(input: string, values: ArrayLike<number>): Promise<void> {
    const buffer = this.#input(input);
    const isFirst = this.#unwritten.delete(input); // now, so that a run can be asked for before the write is done
    try {
      await buffer.write(values);
    } catch (error) {
      if (isFirst) this.#unwritten.add(input);
      throw error;
    }
  }

  /** @throws CriaError naming the inputs that were never written: with zeros in their place a model computes, and says nothing true. */
  async run(): Promise<void> {
    this.#checkWritten();
    return this.#program.run();
  }

  /** {@link Program.pass} with inputs by their names. @throws CriaError as {@link BoundProgram.write} and {@link BoundProgram.run} do. */
  async pass(writes: readonly InputWrite[], reads: readonly PassRead[]): Promise<HostArray[]> {
    const given = writes.map(({ input, values }) => ({ buffer: this.#input(input), values }));
    const first = writes.filter(({ input }) => this.#unwritten.delete(input));
    try {
      this.#checkWritten();
      return await this.#program.pass(given, reads);
    } catch (error) {
      for (const { input } of first) this.#unwritten.add(input);
      throw error;
    }
  }

  read(tensor: Tensor, at?: number, length?: number): Promise<HostArray> {
    return this.#program.read(tensor, at, length);
  }

  /** Frees the program and its inputs; states stay the caller's. */
  dispose(): void {
    this.#program.dispose();
    for (const buffer of this.#inputs.values()) buffer.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #input(name: string): DeviceBuffer {
    const found = this.#inputs.get(name);
    return found ?? fail("backend", `the program has no input "${name}"${didYouMean(name, this.#inputs.keys())}`);
  }

  #checkWritten(): void {
    check(
      this.#unwritten.size === 0,
      "backend",
      () => `the program runs without its inputs ${[...this.#unwritten].join(", ")}: write each of them once before`,
    );
  }
}

/** States and inputs. @throws CriaError when a name stands twice. */
function givenTensors(graph: Graph): Tensor[] {
  const seen = new Set<string>();
  const given = graph.tensors.filter((tensor) => tensor.role !== "activation");
  for (const { name } of given) {
    if (seen.has(name)) fail("backend", `two tensors are called "${name}": give every state and input a name of its own`);
    seen.add(name);
  }
  return given;
}
