// The engine of the CPU backend: worker threads over one shared memory replay programs, while the main thread stays free.
import { check, fail } from "../../../base/index.ts";
import { Crew } from "./crew.ts";
import { Heap } from "./heap.ts";
import type { Machine, MachineKind } from "./machine.ts";
import type { Memory } from "./memory.ts";
import { checkPhases, countsOf, type Phase } from "./program.ts";
import type { Trap } from "./protocol.ts";
import { checkThreads, defaultThreads } from "./threads.ts";
import { createTickets } from "./tickets.ts";

export interface EngineOptions {
  /** 1 to 64; by default CRIA_THREADS, else the number of cores. One thread is a worker too. */
  readonly threads?: number;
}

/** `Source` is what a program's kernels come as, e.g. the bytes of a WebAssembly module. */
export interface Engine<Source, M extends Memory> extends AsyncDisposable {
  readonly threads: number;
  /** What all threads share, to be read and written between runs. */
  readonly memory: M;
  /** @returns the address of zeroed bytes, aligned to 64 and never 0. @throws CriaError when the memory's maximum does not suffice, with both sizes. */
  allocate(bytes: number): number;
  /** @throws CriaError when nothing that is allocated starts at this address. */
  free(address: number): void;
  /** Bytes that can still be allocated, and those among them that were allocated before, so that the system need not provide them again. */
  room(): { readonly left: number; readonly filled: number };
  /** Makes sure that from the next run on every thread's scratch has at least this many bytes. Its contents do not outlive a call. */
  reserveScratch(bytes: number): void;
  /**
   * Compiles the kernels once and gives them to every thread. The phases are copied.
   * @returns the program's id, for `run` and `unload`. @throws CriaError when the kernels or a step are not valid.
   */
  load(source: Source, phases: readonly Phase[]): Promise<number>;
  /**
   * Replays a program. Runs queue: one at a time, in the order of the calls.
   * @throws CriaError when a kernel traps (the engine stays usable, the program's buffers hold what was written until then), or a thread dies.
   */
  run(program: number): Promise<void>;
  /** Runs that were asked for before and have not begun reject. */
  unload(program: number): void;
  /** Ends the threads and gives up the memory; pending and later calls reject or throw a CriaError. */
  dispose(): Promise<void>;
}

/** @throws CriaError when options are out of range or the machine gives no memory. */
export async function openEngine<Source, M extends Memory>(
  kind: MachineKind<Source, M>,
  { threads = defaultThreads() }: EngineOptions = {},
): Promise<Engine<Source, M>> {
  checkThreads(threads);
  const crew = await Crew.start({ tickets: createTickets(runsAtATime), linker: kind.linker.href }, threads);
  try {
    return new WorkerEngine(threads, kind.open(), crew);
  } catch (error) {
    await crew.dismiss("the engine could not be opened");
    throw error;
  }
}

class WorkerEngine<Source, M extends Memory> implements Engine<Source, M> {
  readonly threads: number;
  readonly #crew: Crew;
  /** Undefined once disposed, so that a forgotten engine does not hold gigabytes. */
  #ground: { readonly machine: Machine<Source, M>; readonly heap: Heap<M> } | undefined;
  /** The addresses of each program's counts. */
  readonly #programs = new Map<number, readonly number[]>();
  #nextProgram = 0;
  #lastRun: Promise<void> = Promise.resolve();
  #running = false;
  /** Thread t's scratch is at address + t * stride. */
  #scratch = { address: 0, stride: 0 };
  /** Scratch that was replaced while a run may still use it. */
  readonly #outgrown: number[] = [];

  constructor(threads: number, machine: Machine<Source, M>, crew: Crew) {
    this.threads = threads;
    this.#ground = { machine, heap: new Heap(machine.memory) };
    this.#crew = crew;
  }

  get memory(): M {
    return this.#heap.memory;
  }

  allocate(bytes: number): number {
    return this.#heap.allocate(bytes);
  }

  free(address: number): void {
    this.#heap.free(address);
  }

  room(): { readonly left: number; readonly filled: number } {
    return this.#heap.room();
  }

  reserveScratch(bytes: number): void {
    if (bytes <= this.#scratch.stride) return;
    const stride = Math.ceil(bytes / scratchStep) * scratchStep;
    const address = this.#heap.allocate(stride * this.threads);
    if (this.#scratch.address !== 0) this.#outgrown.push(this.#scratch.address);
    this.#scratch = { address, stride };
    if (!this.#running) this.#freeOutgrown();
  }

  async load(source: Source, phases: readonly Phase[]): Promise<number> {
    this.#crew.check();
    const { machine } = this.#ground!;
    const { kernels, code } = await this.#crew.holding(() => machine.place(source));
    const checked = checkPhases(phases, kernels, this.memory);
    const program = this.#nextProgram++;
    const answers = await this.#crew.ask(() => ({ type: "load", program, code, phases: checked }));
    const problem = answers.find((answer) => answer.problem !== undefined)?.problem;
    if (problem !== undefined) {
      this.#crew.tell({ type: "unload", program });
      fail("cpu", `a program cannot be loaded: ${problem}: its steps and its kernels must fit each other and the engine`);
    }
    this.#programs.set(program, countsOf(checked));
    return program;
  }

  run(program: number): Promise<void> {
    const run = this.#lastRun.then(() => this.#run(program));
    this.#lastRun = run.catch(() => {});
    return run;
  }

  unload(program: number): void {
    this.#crew.check();
    check(this.#programs.delete(program), "cpu", () => `cannot unload program ${program}: no such program is loaded`);
    this.#crew.tell({ type: "unload", program });
  }

  async dispose(): Promise<void> {
    const machine = this.#ground?.machine;
    this.#ground = undefined;
    this.#programs.clear();
    await this.#crew.dismiss("the engine was disposed of: open another");
    machine?.dispose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  get #heap(): Heap<M> {
    this.#crew.check();
    return this.#ground!.heap;
  }

  async #run(program: number): Promise<void> {
    this.#crew.check();
    const counts = this.#programs.get(program) ?? fail("cpu", `cannot run program ${program}: it is not loaded, or no longer`);
    this.#running = true;
    try {
      const { address, stride } = this.#scratch;
      const { trap } = await this.#crew.run(program, this.#read(counts), (thread) => address + thread * stride);
      if (trap !== undefined) failOf(trap);
    } finally {
      this.#running = false;
      if (this.#ground !== undefined) this.#freeOutgrown();
    }
  }

  #read(counts: readonly number[]): number[] {
    const word = new Int32Array(1);
    return counts.map((address) => {
      this.memory.read(address, word);
      return word[0] ?? 0;
    });
  }

  #freeOutgrown(): void {
    for (const address of this.#outgrown.splice(0)) this.#ground!.heap.free(address);
  }
}

function failOf({ kernel, phase, begin, end, message }: Trap): never {
  const where = `kernel ${kernel} trapped in phase ${phase}, units ${begin} to ${end} (${message})`;
  fail("cpu", `${where}: its step's addresses or sizes are wrong, which only a mistake in cria can cause; please report it`);
}

/** The one that works, and those that it left behind with a thread that has not noticed yet: behind so many, it waits for the thread. */
const runsAtATime = 8;

/** Two cache lines: processors fetch lines in pairs, and neighbours' scratch is written all the time. */
const scratchStep = 128;
