// cria bench: how fast a model reads and writes, beside what the machine allows.
import { timedExecutor } from "../backend/cpu/index.ts";
import { ambiguousLength, parseQuantity, stateDTypes, UsageError } from "../base/index.ts";
import { type ExecutorOptions, openExecutor, targetNames } from "../host/index.ts";
import { openModel } from "../load/index.ts";
import type { LlamaConfig } from "../model/index.ts";
import { benchText } from "./bench/bench-text.ts";
import { measureBench } from "./bench/measure.ts";
import { type SpeedTest, testLength, testName } from "./bench/speed-tests.ts";
import type { Command, FlagRow, Flags } from "./command.ts";
import { booleanFlag, oneOfFlag, stringFlag, wholeFlag } from "./flag-values.ts";
import { openBackend } from "./open-backend.ts";

const where = "bench";

const usual = { prompt: [512, 128], generate: [128], depth: [0], sequences: [1, 8], repetitions: 5 } as const;

const jsonKeys = `\
model, backend            path, type, bytes and parameters; what computes, with target and threads
work                      weights and bytes that a pass reads, bytes of keys and values per token
machine                   bytes per second of reading memory; multiply-adds per second, each counted as two, by type (peak), and of
                          products with weights of the model's type in the cache, block scales included (products)
tests                     a row per test: its lengths, tokensPerSecond (mean, deviation, median, samples), machineShare (which
                          rate of the machine bounds it, what was reached, the share), and with --profile shares of the time
isStopped                 whether it was stopped before all repetitions were done
`;

/** The command `cria bench`. */
export const bench: Command = {
  name: where,
  summary: "measure how fast a model reads prompts and writes tokens, beside what the machine allows",
  usage: "MODEL [--prompt 512,128] [--generate 128] [--depth N] [--sequences 1,8] [--repetitions 5] [--threads N] [--profile]",
  flags: [
    listRow("prompt", "tokens of a prompt that is read, several with commas; 0: none (default: 512,128)"),
    listRow("generate", "tokens that are written one after the other; 0: none (default: 128)"),
    listRow("depth", "tokens that each text has before (default: 0)"),
    listRow("sequences", "texts that are written at the same time (default: 1,8)"),
    { name: "repetitions", type: "number", default: usual.repetitions, help: "how often each test runs and counts" },
    { name: "threads", type: "number", help: "threads that compute (default: CRIA_THREADS or one per core)" },
    { name: "cache", type: "string", value: stateDTypes.join("|"), help: "how keys and values are stored (default: f32)" },
    {
      name: "target",
      type: "string",
      value: targetNames.join("|"),
      help: "what computes (default: CRIA_TARGET or the fastest that works)",
    },
    {
      name: "profile",
      type: "boolean",
      help: "say where the time goes: products, attention, rounding of activations, other kernels, waiting",
    },
  ],
  example: { title: "the keys of --json", text: jsonKeys },
  async run([path, ...rest], flags, io) {
    if (path === undefined) throw new UsageError(where, "MODEL is missing: name a model's folder or file, or hf:owner/name");
    if (rest.length > 0) throw new UsageError(where, `"${rest[0]}" is one too many: name one model`);
    const cacheType = oneOfFlag(flags, where, "cache", stateDTypes) ?? "f32";
    const repetitions = wholeFlag(flags, where, "repetitions") ?? usual.repetitions;
    const lists = readLists(flags);
    const executorOptions = readExecutor(flags);
    await using model = await openModel(path, { signal: io.signal, onProgress: io.progress });
    for (const warning of model.warnings) io.stderr(`${warning}\n`);
    const tests = testsOf(lists, model.config);
    const plain = await openExecutor(executorOptions);
    // Clocks in threads are read only where somebody asks for them.
    const { executor, take } = booleanFlag(flags, "profile") ? timedExecutor(plain) : { executor: plain, take: undefined };
    await using backend = await openBackend(io, { executor });
    const { signal, progress } = io;
    const report = await measureBench({ model, backend, executor, takeTimes: take, cacheType, tests, repetitions, signal, progress });
    io.stdout(io.json ? `${JSON.stringify(report, null, 2)}\n` : benchText(report));
    if (report.isStopped) io.stderr(`[${where}] stopped: the numbers are of the runs that were done\n`);
    return 0;
  },
};

function listRow(name: string, help: string): FlagRow {
  return { name, type: "string", value: "N,…", help };
}

/** What tests are made of; undefined where the usual ones are meant, as far as the model's context has room for them. */
interface Lists {
  readonly prompt: readonly number[] | undefined;
  readonly generate: readonly number[] | undefined;
  readonly depth: readonly number[];
  readonly sequences: readonly number[];
}

function readLists(flags: Flags): Lists {
  return {
    ...{ prompt: listFlag(flags, "prompt", 0), generate: listFlag(flags, "generate", 0) },
    ...{ depth: listFlag(flags, "depth", 0) ?? usual.depth, sequences: listFlag(flags, "sequences", 1) ?? usual.sequences },
  };
}

/** Whole numbers with commas between. @throws UsageError for anything else */
function listFlag(flags: Flags, name: string, least: number): readonly number[] | undefined {
  const text = stringFlag(flags, name);
  return text?.split(",").map((word) => {
    const doubt = ambiguousLength(word);
    if (doubt) throw new UsageError(where, `--${name} has "${word}", but ${doubt}`);
    const number = parseQuantity(word);
    if (Number.isSafeInteger(number) && number >= least) return number;
    throw new UsageError(where, `--${name} has "${word}", but takes whole numbers from ${least} on, with commas between: --${name} 1,2`);
  });
}

function readExecutor(flags: Flags): ExecutorOptions {
  const [threads, target] = [wholeFlag(flags, where, "threads"), oneOfFlag(flags, where, "target", targetNames)];
  return { ...(threads !== undefined && { threads }), ...(target !== undefined && { target }) };
}

/** Every prompt at every depth, then every number of written tokens at every depth for every number of texts. */
function testsOf({ prompt, generate, depth, sequences }: Lists, { contextLength }: LlamaConfig): SpeedTest[] {
  const tests = depth.flatMap((depth) => {
    const room = contextLength - depth;
    const shorten = (lengths: readonly number[]) => [...new Set(lengths.map((length) => Math.min(length, Math.max(1, room))))];
    const prompts = (prompt ?? shorten(usual.prompt)).map((prompt) => ({ prompt, generate: 0, depth, sequences: 1 }));
    const written = (generate ?? shorten(usual.generate)).flatMap((generate) =>
      sequences.map((sequences) => ({ prompt: 0, generate, depth, sequences })),
    );
    return [...prompts, ...written].filter((test) => test.prompt + test.generate > 0);
  });
  const long = tests.find((test) => testLength(test) > contextLength);
  if (long !== undefined)
    throw new UsageError(
      where,
      `${testName(long)} needs a context of ${testLength(long)} tokens, but the model's is ${contextLength}: ask for fewer`,
      { ways: ["prompt", "generate", "depth"] },
    );
  if (tests.length === 0) throw new UsageError(where, "--prompt and --generate are 0: ask for tokens that are read or written");
  return tests;
}
