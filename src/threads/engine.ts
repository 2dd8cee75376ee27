// The engine of the CPU backend: threads over one memory replay programs, while the event loop of the thread that asked for it lives.
import { check, fail, inSlices, JobQueue } from "../base/index.ts";
import { CallingThread } from "./calling-thread.ts";
import type { CodeKind, CodeLoader, Linker } from "./code-loader.ts";
import { Heap } from "./heap.ts";
import type { Memory } from "./memory.ts";
import { checkPhases, countsOf, type Phase } from "./program.ts";
import type { Trap } from "./protocol.ts";
import { checkThreads } from "./thread-count.ts";
import type { ThreadHost } from "./thread-host.ts";
import type { ThreadPool } from "./thread-pool.ts";
import { createTickets } from "./tickets.ts";
import type { OnTimes } from "./watch.ts";
import { WorkerPool } from "./worker-pool.ts";

/** The threads of an engine. */
export interface EngineOptions {
  /** What starts threads; without one, the calling thread computes alone, in slices. */
  readonly host?: ThreadHost | undefined;
  /** 1 to 64; what the host says by default. One thread of a host is a worker too. */
  readonly threads?: number | undefined;
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
   * @returns the program's id, for `run` and `unload`. @throws CriaError when the kernels or a call are not valid.
   */
  load(source: Source, phases: readonly Phase[]): Promise<number>;
  /**
   * Replays a program. Runs queue: one at a time, in the order of the calls.
   * @param onTimes hears where each thread's time went; without it, nothing is timed
   * @throws CriaError when a kernel traps (the engine stays usable, the program's buffers hold what was written until then), or a thread dies.
   */
  run(program: number, onTimes?: OnTimes): Promise<void>;
  /** Runs that were asked for before and have not begun reject. */
  unload(program: number): void;
  /** Ends the threads and gives up the memory; pending and later calls reject or throw a CriaError. */
  dispose(): Promise<void>;
}

/** @throws CriaError when options are out of range or the machine gives no memory. */
export async function openEngine<Source, M extends Memory>(
  kind: CodeKind<Source, M>,
  { host, threads = host?.defaultThreads() ?? 1 }: EngineOptions = {},
): Promise<Engine<Source, M>> {
  checkThreads(threads);
  const pool = host
    ? await WorkerPool.start(host, { tickets: createTickets(runsAtATime), linker: kind.linker }, threads)
    : alone(kind, threads);
  try {
    return new PooledEngine(kind.open(host !== undefined), pool);
  } catch (error) {
    await pool.terminate("the engine could not be opened");
    throw error;
  }
}

function alone({ link }: { readonly link?: Linker }, threads: number): ThreadPool {
  check(threads === 1, "cpu", () => `threads is ${threads}, but nothing starts threads here, so there is the calling one: omit threads`);
  return link ? new CallingThread(link) : fail("cpu", "machine code runs on threads of its own alone: give a host that starts them");
}

class PooledEngine<Source, M extends Memory> implements Engine<Source, M> {
  readonly threads: number;
  readonly #pool: ThreadPool;
  /** Undefined once disposed, so that a forgotten engine does not hold gigabytes. */
  #ground: { readonly loader: CodeLoader<Source, M>; readonly heap: Heap<M> } | undefined;
  /** The addresses of each program's counts. */
  readonly #programs = new Map<number, readonly number[]>();
  #nextProgram = 0;
  readonly #runs = new JobQueue();
  #running = false;
  /** Thread t's scratch is at address + t * stride. */
  #scratch = { address: 0, stride: 0 };
  /** Scratch that was replaced while a run may still use it. */
  readonly #outgrown: number[] = [];

  constructor(loader: CodeLoader<Source, M>, pool: ThreadPool) {
    this.threads = pool.threads;
    this.#ground = { loader, heap: new Heap(loader.memory) };
    this.#pool = pool;
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
    this.#pool.check();
    const { loader } = this.#ground!;
    const { kernels, code } = await this.#pool.holding(() => loader.place(source));
    const checked = await inSlices(checkPhases(phases, kernels, this.memory));
    const program = this.#nextProgram++;
    const answers = await this.#pool.ask(() => ({ type: "load", program, code, phases: checked }));
    const problem = answers.find((answer) => answer.problem !== undefined)?.problem;
    if (problem !== undefined) {
      this.#pool.tell({ type: "unload", program });
      fail("cpu", `a program cannot be loaded: ${problem}: its calls and its kernels must fit each other and the engine`);
    }
    this.#programs.set(program, countsOf(checked));
    return program;
  }

  run(program: number, onTimes?: OnTimes): Promise<void> {
    return this.#runs.run(() => this.#run(program, onTimes));
  }

  unload(program: number): void {
    this.#pool.check();
    check(this.#programs.delete(program), "cpu", () => `cannot unload program ${program}: no such program is loaded`);
    this.#pool.tell({ type: "unload", program });
  }

  async dispose(): Promise<void> {
    const loader = this.#ground?.loader;
    this.#ground = undefined;
    this.#programs.clear();
    await this.#pool.terminate("the engine was disposed of: open another");
    loader?.dispose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  get #heap(): Heap<M> {
    this.#pool.check();
    return this.#ground!.heap;
  }

  async #run(program: number, onTimes: OnTimes | undefined): Promise<void> {
    this.#pool.check();
    const counts = this.#programs.get(program) ?? fail("cpu", `cannot run program ${program}: it is not loaded, or no longer`);
    this.#running = true;
    try {
      const { address, stride } = this.#scratch;
      const { trap } = await this.#pool.run(program, this.#read(counts), (thread) => address + thread * stride, onTimes);
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
  fail("cpu", `${where}: the addresses or sizes of its call are wrong, which only a mistake in cria can cause; please report it`);
}

/** The one that works, and those that it left behind with a thread that has not noticed yet: behind so many, it waits for the thread. */
const runsAtATime = 8;

/** Two cache lines: processors fetch lines in pairs, and neighbours' scratch is written all the time. */
const scratchStep = 128;
