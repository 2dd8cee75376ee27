// What a thread does with a program: call by call, with nothing allocated and nothing looked up on the way.
import type { LinkedKernel } from "./code-loader.ts";
import { countsOf, fallingChunks, type KernelCall, type Phase } from "./program.ts";
import type { End, Trap } from "./protocol.ts";
import { abort, claim, finish, nextTicket, waitFor } from "./tickets.ts";
import { type Watch, waiting } from "./watch.ts";

/** A program whose kernels are functions of one thread. */
export interface BoundProgram {
  /** The calls of all phases, in order. */
  readonly calls: readonly BoundCall[];
  /** How many kernels there are. */
  readonly kernels: number;
  /** The tickets of the last run, which the next run has too where its counts are the same. */
  last: Numbering;
}

interface BoundCall {
  readonly invoke: Invoke;
  readonly kernel: number;
  readonly phase: number;
  readonly units: number;
  readonly grain: number;
  readonly sharers: number | undefined;
  readonly live: LiveCount | undefined;
}

/** See `LiveUnits`; `count` is an index into a run's counts. */
interface LiveCount {
  readonly count: number;
  readonly rows: number;
  readonly units: number;
}

/** Which tickets the calls have in a run with these counts. */
interface Numbering {
  readonly counts: readonly number[];
  readonly calls: readonly NumberedCall[];
  /** How many chunks all calls have. */
  readonly tickets: number;
}

interface NumberedCall {
  readonly call: BoundCall;
  readonly units: number;
  readonly grain: number;
  /** Where its chunks begin, and where the last one ends, where they are not all of the grain. */
  readonly starts: readonly number[] | undefined;
  /** The ticket of its first chunk, and the one behind its last. */
  readonly first: number;
  readonly end: number;
  /** How many chunks are finished when its phase may begin: all of those before. */
  readonly opens: number;
}

type Invoke = (scratch: number, begin: number, end: number) => void;

/** @throws Error when a call gives a kernel more or fewer arguments than it takes. */
export function bind(phases: readonly Phase[], kernels: readonly LinkedKernel[]): BoundProgram {
  const counts = countsOf(phases);
  const calls = phases.flatMap((unbound, phase) =>
    unbound.map((call): BoundCall => {
      const { kernel, units, grain, sharers, live } = call;
      const liveCount = live && { ...live, count: counts.indexOf(live.count) };
      return { invoke: link(call, kernels[kernel]!), kernel, phase, units, grain, sharers, live: liveCount };
    }),
  );
  return { calls, kernels: kernels.length, last: numberCalls(calls, Array(counts.length).fill(0)) };
}

/** Numbers the chunks of all calls that have work. */
function numberCalls(calls: readonly BoundCall[], counts: readonly number[]): Numbering {
  let [tickets, opens, phase] = [0, 0, 0];
  const numbered = calls.map((call): NumberedCall => {
    if (call.phase !== phase) [phase, opens] = [call.phase, tickets];
    const units = liveUnits(call, counts);
    const grain = Math.max(1, Math.floor((call.grain * units) / call.units));
    const first = tickets;
    const starts = call.sharers === undefined ? undefined : fallingChunks(units, grain, call.sharers);
    tickets += starts ? starts.length - 1 : Math.ceil(units / grain);
    return { call, units, grain, starts, first, end: tickets, opens };
  });
  return { counts, calls: numbered, tickets };
}

function liveUnits({ units, live }: BoundCall, counts: readonly number[]): number {
  if (live === undefined) return units;
  return Math.min(units, live.units * Math.ceil(Math.max(0, counts[live.count] ?? 0) / live.rows));
}

/** The numbering for these counts: the last one where they have not changed. */
function numberingOf(program: BoundProgram, counts: readonly number[]): Numbering {
  if (counts.some((count, i) => count !== program.last.counts[i])) program.last = numberCalls(program.calls, counts);
  return program.last;
}

function link({ kernel, args }: KernelCall, { call, params }: LinkedKernel): Invoke {
  const given = `${args.length} arguments and the engine's 3`;
  if (params !== args.length + 3) throw new Error(`kernel ${kernel} takes ${params} arguments, but a call gives it ${given}`);
  return bindArguments(call, args);
}

/**
 * This thread's share of one run with these counts.
 * @returns what the engine must hear of: that this thread finished the run's last chunk, or that a kernel trapped on it.
 */
export function replay(
  program: BoundProgram,
  counts: readonly number[],
  words: Int32Array,
  scratch: number,
  watch?: Watch,
): End | undefined {
  const { calls, tickets } = numberingOf(program, counts);
  let at = 0;
  /** Where the phase begins that this thread has seen open. */
  let opened = 0;
  /** Chunks of it that this thread has finished, and not yet told the others of. */
  let untold = 0;
  let ticket = nextTicket(words);
  while (ticket < tickets) {
    while (ticket >= calls[at]!.end) at++;
    const call = calls[at]!;
    if (call.opens !== opened) {
      if (untold > 0) finish(words, untold, call.opens);
      watch?.turnTo(waiting);
      waitFor(words, call.opens);
      untold = 0;
      opened = call.opens;
    }
    const found = claim(words, ticket);
    if (found === ticket) {
      watch?.turnTo(call.call.kernel);
      const trap = callChunk(call, ticket, scratch);
      if (trap !== undefined) {
        abort(words);
        return { trap };
      }
      untold++;
      ticket++;
    } else ticket = found;
  }
  watch?.turnTo(waiting);
  const isLast = tickets === 0 || (untold > 0 && finish(words, untold, tickets) === tickets);
  return isLast ? { done: true } : undefined;
}

/** What a thread has that replays alone. */
interface Alone {
  readonly scratch: number;
  /** The time by `performance.now` after which no chunk is begun. */
  readonly until: number;
  readonly watch?: Watch | undefined;
}

/** Replays a program with these counts from a ticket on, where no other thread takes part. @returns the ticket to go on with where time is up. */
export function replayAlone(
  program: BoundProgram,
  counts: readonly number[],
  from: number,
  { scratch, until, watch }: Alone,
): number | End {
  const { calls, tickets } = numberingOf(program, counts);
  let at = 0;
  for (let ticket = from; ticket < tickets; ticket++) {
    if (performance.now() >= until) {
      watch?.turnTo(waiting);
      return ticket;
    }
    while (ticket >= calls[at]!.end) at++;
    watch?.turnTo(calls[at]!.call.kernel);
    const trap = callChunk(calls[at]!, ticket, scratch);
    if (trap !== undefined) return { trap };
  }
  watch?.turnTo(waiting);
  return { done: true };
}

function callChunk(
  { call: { invoke, kernel, phase }, units, grain, starts, first }: NumberedCall,
  ticket: number,
  scratch: number,
): Trap | undefined {
  const chunk = ticket - first;
  const begin = starts?.[chunk] ?? chunk * grain;
  const end = starts?.[chunk + 1] ?? Math.min(begin + grain, units);
  try {
    invoke(scratch, begin, end);
    return undefined;
  } catch (error) {
    return { kernel, phase, begin, end, message: String(error) };
  }
}

// There is a closure per arity: with a spread, a call that does nothing takes several times as long.
// biome-ignore format: a row per arity.
function bindArguments(f: LinkedKernel["call"], args: readonly number[]): Invoke {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, g = 0, h = 0, i = 0, j = 0, k = 0, l = 0, m = 0] = args;
  switch (args.length) {
    case 0: return (scratch, begin, end) => f(scratch, begin, end);
    case 1: return (scratch, begin, end) => f(a, scratch, begin, end);
    case 2: return (scratch, begin, end) => f(a, b, scratch, begin, end);
    case 3: return (scratch, begin, end) => f(a, b, c, scratch, begin, end);
    case 4: return (scratch, begin, end) => f(a, b, c, d, scratch, begin, end);
    case 5: return (scratch, begin, end) => f(a, b, c, d, e, scratch, begin, end);
    case 6: return (scratch, begin, end) => f(a, b, c, d, e, g, scratch, begin, end);
    case 7: return (scratch, begin, end) => f(a, b, c, d, e, g, h, scratch, begin, end);
    case 8: return (scratch, begin, end) => f(a, b, c, d, e, g, h, i, scratch, begin, end);
    case 9: return (scratch, begin, end) => f(a, b, c, d, e, g, h, i, j, scratch, begin, end);
    case 10: return (scratch, begin, end) => f(a, b, c, d, e, g, h, i, j, k, scratch, begin, end);
    case 11: return (scratch, begin, end) => f(a, b, c, d, e, g, h, i, j, k, l, scratch, begin, end);
    case 12: return (scratch, begin, end) => f(a, b, c, d, e, g, h, i, j, k, l, m, scratch, begin, end);
    default: return (scratch, begin, end) => f(...args, scratch, begin, end);
  }
}
