// The numbers of `cria bench`: the machine's ceilings, then all tests in turn, round by round, so that a slow moment of the machine hits all of them.
import { type Executor, passParts, type RunTimes } from "../../backend/cpu/index.ts";
import type { Backend } from "../../backend/index.ts";
import type { OnProgress, StateDType } from "../../base/index.ts";
import { SequenceModel } from "../../infer/index.ts";
import { parameterCount } from "../../model/index.ts";
import type { OpenModel } from "../../open/index.ts";
import { type Ceilings, type ModelWork, measureCeilings, modelWork, type Share, shareOf } from "./ceilings.ts";
import { memoryFor, type Rates, ratesOf, SpeedRunner, type SpeedTest, testName } from "./speed-tests.ts";

/** Where the time of a test's runs goes. */
export interface Profile {
  /** Shares of the time: products, attention, rounding of activations, other kernels, threads that wait, and what happens between passes. */
  readonly shares: Readonly<Record<(typeof passParts)[number] | "between", number>>;
  /** Shares of the time by kernel, the largest first. */
  readonly kernels: readonly { readonly name: string; readonly share: number }[];
  /** Passes that the tokens took. */
  readonly passes: number;
}

/** What a test found. */
export interface TestResult extends SpeedTest {
  readonly test: string;
  /** Tokens per second. */
  readonly tokensPerSecond: Rates;
  readonly machineShare: Share;
  readonly profile?: Profile;
}

/** What `cria bench` prints. */
export interface BenchReport {
  readonly model: {
    readonly path: string;
    /** The architecture and the layout of most weights. */
    readonly type: string;
    /** Bytes of all tensors. */
    readonly bytes: number;
    readonly parameters: number;
  };
  /** What computes, as it names itself. */
  readonly backend: string;
  readonly target: string;
  readonly threads: number;
  readonly cacheType: StateDType;
  readonly work: ModelWork;
  readonly machine: Ceilings;
  /** Rounds that were asked for; a test has fewer samples where it was stopped. */
  readonly repetitions: number;
  readonly isStopped: boolean;
  readonly tests: readonly TestResult[];
}

/** What is measured, and on what. */
export interface Asked {
  readonly model: OpenModel<string>;
  readonly backend: Backend;
  /** What the backend computes on. */
  readonly executor: Executor;
  /** The times of runs on the executor since the last call, where they are wanted. */
  readonly takeTimes?: (() => RunTimes) | undefined;
  readonly cacheType: StateDType;
  readonly tests: readonly SpeedTest[];
  readonly repetitions: number;
  readonly signal: AbortSignal;
  readonly progress: OnProgress;
}

/**
 * Measures all tests; the first run of each does not count. When the signal aborts, what was measured is the report.
 * @throws the signal's reason where nothing was measured yet
 */
export async function measureBench(asked: Asked): Promise<BenchReport> {
  const { model, backend, executor, cacheType, tests, repetitions, signal, progress } = asked;
  progress({ task: "measuring the machine", done: 0, unit: "rates" });
  const work = modelWork(model.config, model.weights, cacheType);
  const machine = await measureCeilings(executor, work, signal);
  const options = { cacheType, signal, onProgress: progress, ...memoryFor(tests) };
  const sequences = await SequenceModel.open(backend, model.config, model.weights, options);
  const found = tests.map((): Samples => ({ seconds: [], times: [] }));
  try {
    await runRounds(new SpeedRunner(sequences, signal), asked, found);
  } catch (error) {
    if (!signal.aborted || found.every(({ seconds }) => seconds.length === 0)) throw error;
  } finally {
    await sequences.dispose();
  }
  const results = tests.flatMap((test, i) => resultOf(test, found[i] ?? { seconds: [], times: [] }, { work, machine, executor }));
  return {
    ...{ model: describe(model, work), backend: backend.name, target: backend.target, threads: executor.threads, cacheType },
    ...{ work, machine, repetitions, isStopped: signal.aborted, tests: results },
  };
}

/** What the runs of a test took. */
interface Samples {
  readonly seconds: number[];
  readonly times: RunTimes[];
}

async function runRounds(runner: SpeedRunner, { tests, repetitions, takeTimes, progress }: Asked, found: readonly Samples[]) {
  const total = tests.length * (1 + repetitions);
  for (let round = 0; round <= repetitions; round++)
    for (const [i, test] of tests.entries()) {
      progress({
        task: round === 0 ? "warming up" : "measuring",
        done: round * tests.length + i,
        total,
        unit: "runs",
        note: testName(test),
      });
      const seconds = await runner.run(test, takeTimes);
      const times = takeTimes?.();
      if (round === 0) continue;
      found[i]?.seconds.push(seconds);
      if (times) found[i]?.times.push(times);
    }
}

interface There {
  readonly work: ModelWork;
  readonly machine: Ceilings;
  readonly executor: Executor;
}

function resultOf(test: SpeedTest, { seconds, times }: Samples, { work, machine, executor }: There): TestResult[] {
  if (seconds.length === 0) return [];
  const rates = ratesOf(test, seconds);
  const profile = times.length === 0 ? {} : { profile: profileOf(seconds, times, executor.threads) };
  return [{ test: testName(test), ...test, tokensPerSecond: rates, machineShare: shareOf(test, rates, work, machine), ...profile }];
}

function profileOf(seconds: readonly number[], times: readonly RunTimes[], threads: number): Profile {
  const all = 1000 * seconds.reduce((sum, time) => sum + time, 0);
  const wall = times.reduce((sum, run) => sum + run.wall, 0);
  const sum = (of: (run: RunTimes) => number) => times.reduce((total, run) => total + of(run), 0) / all;
  const shareOfPart = (part: (typeof passParts)[number]) => [part, sum((run) => run.shares[part] * run.wall)] as const;
  const kernels = new Map<string, number>();
  for (const run of times) for (const [name, time] of run.kernels) kernels.set(name, (kernels.get(name) ?? 0) + time / threads / all);
  return {
    shares: { ...(Object.fromEntries(passParts.map(shareOfPart)) as Profile["shares"]), between: 1 - wall / all },
    kernels: [...kernels].map(([name, share]) => ({ name, share })).sort((a, b) => b.share - a.share),
    passes: times.reduce((total, run) => total + run.runs, 0) / times.length,
  };
}

function describe({ path, architecture, tensors, config }: OpenModel<string>, { type }: ModelWork): BenchReport["model"] {
  const bytes = [...tensors.tensors.values()].reduce((sum, { start, end }) => sum + end - start, 0);
  return { path, type: `${architecture} ${type}`, bytes, parameters: parameterCount(config) };
}
