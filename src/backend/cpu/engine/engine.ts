// The engine of the CPU backend: worker threads over one shared memory replay programs, while the main thread stays free.
import { CriaError, check, fail } from "../../../base/index.ts";
import { createControl, resetControl } from "./barrier.ts";
import { Crew } from "./crew.ts";
import { checkPhases, type Phase } from "./program.ts";
import type { Trap } from "./protocol.ts";
import { createCounters } from "./replay.ts";
import { checkMaximum, SharedHeap } from "./shared-heap.ts";
import { checkThreads, defaultThreads } from "./threads.ts";

export interface EngineOptions {
  /** 1 to 64; by default CRIA_THREADS, else the number of cores. One thread is a worker too. */
  readonly threads?: number;
  /** How far the memory may grow, 65536 to 2^32 (the default); less where the machine lacks the address space. */
  readonly maximumBytes?: number;
}

export interface Engine extends AsyncDisposable {
  readonly threads: number;
  /** Shared. A module imports it as `(import "e" "m" (memory 1 65536 shared))`. Its `buffer` is another object after it grew. */
  readonly memory: WebAssembly.Memory;
  /** @returns the address of zeroed bytes, aligned to 64 and never 0. @throws CriaError when the memory's maximum does not suffice, with both sizes. */
  allocate(bytes: number): number;
  /** @throws CriaError when nothing that is allocated starts at this address. */
  free(address: number): void;
  /** Makes sure that from the next run on every thread's scratch has at least this many bytes. Its contents do not outlive a call. */
  reserveScratch(bytes: number): void;
  /**
   * Compiles the module once and gives it to every thread. The phases are copied.
   * @returns the program's id, for `run` and `unload`. @throws CriaError when the module or a step is not valid.
   */
  load(module: Uint8Array, phases: readonly Phase[]): Promise<number>;
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

/** @throws CriaError when options are out of range or the machine gives no shared memory. */
export async function openEngine({ threads = defaultThreads(), maximumBytes }: EngineOptions = {}): Promise<Engine> {
  checkThreads(threads);
  checkMaximum(maximumBytes);
  const control = createControl();
  // Threads first: a thread that lacks address space ends the process, a memory can do with less.
  const crew = await Crew.start({ control, threads });
  try {
    return new WorkerEngine(threads, new SharedHeap(maximumBytes), control, crew);
  } catch (error) {
    await crew.dismiss("the engine could not be opened");
    throw error;
  }
}

class WorkerEngine implements Engine {
  readonly threads: number;
  readonly #control: Int32Array;
  readonly #crew: Crew;
  /** Undefined once disposed, so that a forgotten engine does not hold gigabytes. */
  #memory: SharedHeap | undefined;
  /** Each loaded program's claim counters. */
  readonly #programs = new Map<number, Int32Array>();
  #nextProgram = 0;
  #lastRun: Promise<void> = Promise.resolve();
  #running = false;
  /** Thread t's scratch is at address + t * stride. */
  #scratch = { address: 0, stride: 0 };
  /** Scratch that was replaced while a run may still use it. */
  readonly #outgrown: number[] = [];

  constructor(threads: number, heap: SharedHeap, control: Int32Array, crew: Crew) {
    this.threads = threads;
    this.#memory = heap;
    this.#control = control;
    this.#crew = crew;
  }

  get memory(): WebAssembly.Memory {
    return this.#heap.memory;
  }

  allocate(bytes: number): number {
    return this.#heap.allocate(bytes);
  }

  free(address: number): void {
    this.#heap.free(address);
  }

  reserveScratch(bytes: number): void {
    if (bytes <= this.#scratch.stride) return;
    const stride = Math.ceil(bytes / scratchStep) * scratchStep;
    const address = this.#heap.allocate(stride * this.threads);
    if (this.#scratch.address !== 0) this.#outgrown.push(this.#scratch.address);
    this.#scratch = { address, stride };
    if (!this.#running) this.#freeOutgrown();
  }

  async load(module: Uint8Array, phases: readonly Phase[]): Promise<number> {
    this.#crew.check();
    const compiled = await compile(module);
    const checked = checkPhases(phases, compiled);
    const { memory } = this.#heap;
    const program = this.#nextProgram++;
    const counters = createCounters(checked);
    const answers = await this.#crew.ask(() => ({ type: "load", program, module: compiled, memory, phases: checked, counters }));
    const problem = answers.find((answer) => answer.problem !== undefined)?.problem;
    if (problem !== undefined) {
      this.#crew.tell({ type: "unload", program });
      fail("cpu", `a program cannot be loaded: ${problem}: its steps and its module must fit each other and the engine`);
    }
    this.#programs.set(program, counters);
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
    this.#memory = undefined;
    this.#programs.clear();
    await this.#crew.dismiss("the engine was disposed of: open another with openEngine()");
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  get #heap(): SharedHeap {
    this.#crew.check();
    return this.#memory!;
  }

  async #run(program: number): Promise<void> {
    this.#crew.check();
    const counters = this.#programs.get(program) ?? fail("cpu", `cannot run program ${program}: it is not loaded, or no longer`);
    const { address, stride } = this.#scratch;
    this.#running = true;
    try {
      const answers = await this.#crew.ask((thread) => ({ type: "run", program, scratch: address + thread * stride }));
      const trap = answers.find((answer) => answer.trap !== undefined)?.trap;
      if (trap !== undefined) this.#recover(trap, counters);
    } finally {
      this.#running = false;
      if (this.#memory !== undefined) this.#freeOutgrown();
    }
  }

  /** Every thread has reported, so nobody reads these words now. */
  #recover(trap: Trap, counters: Int32Array): never {
    resetControl(this.#control);
    counters.fill(0);
    const where = `kernel ${trap.kernel} trapped in phase ${trap.phase}, units ${trap.begin} to ${trap.end} (${trap.message})`;
    fail("cpu", `${where}: its step's addresses or sizes are wrong, which only a mistake in cria can cause; please report it`);
  }

  #freeOutgrown(): void {
    for (const address of this.#outgrown.splice(0)) this.#memory!.free(address);
  }
}

/** Two cache lines: processors fetch lines in pairs, and neighbours' scratch is written all the time. */
const scratchStep = 128;

async function compile(module: Uint8Array): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(module as Uint8Array<ArrayBuffer>);
  } catch (cause) {
    throw new CriaError("cpu", `a program's module is not valid WebAssembly here (${String(cause)}): please report it`, { cause });
  }
}
