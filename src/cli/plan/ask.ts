// The flags of cria plan, checked and put in order.
import { didYouMean, fail, UsageError } from "../../base/index.ts";
import { openModel } from "../../index.ts";
import { type LlamaConfig, parameterCount, preset } from "../../model/index.ts";
import { type Arithmetic, type Given, laws, llamaBatchTokens, publishedRuns, type ScalingLaw } from "../../plan/index.ts";
import type { FlagRow, Flags } from "../command.ts";
import { stringFlag, wholeFlag } from "../flag-values.ts";
import type { MachineAsked } from "./machine.ts";
import { positiveFlag, quantityFlag } from "./quantity.ts";

const where = "plan";

export const planFlags: readonly FlagRow[] = [
  { name: "flops", type: "string", help: "a budget of operations, such as 1e22" },
  { name: "gpu-hours", type: "string", help: "a budget of accelerator-hours (--gpu)" },
  { name: "hours", type: "number", help: "a budget of time: on --gpus of --gpu, or on this machine, measured" },
  { name: "money", type: "string", help: "a budget in US dollars (--gpu, --price)" },
  { name: "parameters", type: "string", help: "the model's size, such as 7B" },
  { name: "preset", type: "string", help: "the model by name: 7B, 13B, 33B, 65B as in the paper, or 260K to 110M" },
  { name: "tokens", type: "string", help: "what it is trained on, such as 1T; the paper's for its presets" },
  { name: "loss", type: "string", help: "the loss to reach, in nats a token" },
  { name: "serve-tokens", type: "string", help: "what it will serve in its life, such as 1T: moves the optimum to smaller models" },
  { name: "gpu", type: "string", help: "a100-80gb (the paper's), a100-40gb, h100-sxm, h200, v100 or rtx-4090" },
  { name: "gpus", type: "number", help: "how many: adds the parallel layouts that fit" },
  { name: "arithmetic", type: "string", help: "float32, tf32, fp16 or bf16; the fastest of 16 bits by default" },
  { name: "utilisation", type: "number", help: "share of the peak that training gets, 0 to 1; a published run's by default" },
  { name: "price", type: "number", help: "US dollars an accelerator-hour" },
  { name: "watts", type: "number", help: "of one accelerator; its limit by default" },
  { name: "batch-tokens", type: "number", default: llamaBatchTokens, help: "tokens of a step" },
  { name: "length", type: "number", help: "tokens of a sequence; the model's context by default" },
  { name: "law", type: "string", default: "besiroglu", help: "which scaling law decides: besiroglu or hoffmann" },
  { name: "fit", type: "boolean", help: "fit the law to the finished run folders that are named, and go by it" },
  { name: "plot", type: "boolean", help: "draw loss over parameters and tokens in the terminal" },
  { name: "svg", type: "string", help: "write the plot to this file" },
];

export type Budget = { readonly kind: "operations" | "accelerator-hours" | "hours" | "dollars"; readonly value: number };

export interface Asked {
  readonly budget?: Budget;
  /** Without the operations: they follow from the budget. */
  readonly given: Omit<Given, "flops">;
  readonly model?: { readonly name: string; readonly config: LlamaConfig };
  /** The tokens are not the person's but the paper's. */
  readonly isPapersTokens: boolean;
  readonly served?: number;
  /** Absent: this machine for --hours, the paper's for anything else. */
  readonly machine: MachineAsked;
  /** --gpus was given. */
  readonly isCluster: boolean;
  readonly batchTokens: number;
  readonly length?: number;
  readonly law: ScalingLaw;
  /** Of the tokenizer that a model of one's own would have. */
  readonly vocabSize?: number;
}

/** @param isFit the arguments are runs, not a model. @throws UsageError for flags that contradict each other or cannot be read */
export async function readAsked(args: readonly string[], flags: Flags, isFit: boolean): Promise<Asked> {
  const model = await readModel(isFit ? [] : args, flags);
  const budget = readBudget(flags);
  const [tokens, loss] = [quantityFlag(flags, "tokens"), quantityFlag(flags, "loss")];
  const parameters = model ? parameterCount(model.config) : quantityFlag(flags, "parameters");
  const papers = publishedRuns.find((run) => run.preset === stringFlag(flags, "preset") && run.preset !== undefined)?.tokens;
  const isPapersTokens = papers !== undefined && tokens === undefined && loss === undefined && budget === undefined;
  const known = { parameters, tokens: isPapersTokens ? papers : tokens, loss };
  const asked: Asked = {
    given: withoutUndefined(known),
    ...withoutUndefined({ budget, model, served: quantityFlag(flags, "serve-tokens"), length: wholeFlag(flags, where, "length") }),
    ...{ isPapersTokens, machine: readMachine(flags), isCluster: flags.gpus !== undefined },
    ...{ batchTokens: wholeFlag(flags, where, "batch-tokens")!, law: readLaw(flags) },
  };
  const count = Object.keys(asked.given).length + (budget ? 1 : 0);
  if (count > 2)
    throw new UsageError(where, "a budget, parameters, tokens and a loss: two of them decide the rest, and more are given: leave some out");
  if (count === 0 && !isFit)
    throw new UsageError(where, "there is nothing to plan by: give a budget, --parameters or --preset, --tokens or --loss");
  return asked;
}

async function readModel(args: readonly string[], flags: Flags): Promise<Asked["model"]> {
  const [path, more] = args;
  const name = stringFlag(flags, "preset");
  if (more !== undefined) throw new UsageError(where, `"${more}" is one too many: name one model, or add --fit to fit the law to runs`);
  const ways = [path, name && "--preset", flags.parameters && "--parameters"].filter((way) => way !== undefined);
  if (ways.length > 1) throw new UsageError(where, `${ways.join(" and ")} both name a model: leave one out`);
  if (name !== undefined) return { name, config: preset(name) };
  if (path === undefined) return undefined;
  await using model = await openModel(path);
  return { name: path, config: model.config };
}

function readBudget(flags: Flags): Budget | undefined {
  const rows = [
    ["flops", "operations", quantityFlag(flags, "flops")],
    ["gpu-hours", "accelerator-hours", quantityFlag(flags, "gpu-hours")],
    ["hours", "hours", positiveFlag(flags, "hours")],
    ["money", "dollars", quantityFlag(flags, "money")],
  ] as const;
  const found = rows.filter(([, , value]) => value !== undefined);
  if (found.length > 1) throw new UsageError(where, `${found.map(([name]) => `--${name}`).join(" and ")} are both budgets: give one`);
  const [row] = found;
  return row && { kind: row[1], value: row[2]! };
}

function readMachine(flags: Flags): MachineAsked {
  const gpu = stringFlag(flags, "gpu");
  const gpus = wholeFlag(flags, where, "gpus") ?? 1;
  if (gpus > 1e6) throw new UsageError(where, `--gpus is ${gpus} but there are at most a million`);
  const arithmetic = readArithmetic(stringFlag(flags, "arithmetic"));
  const [price, watts] = [positiveFlag(flags, "price"), positiveFlag(flags, "watts")];
  return { gpus, ...withoutUndefined({ gpu, arithmetic, price, watts, utilisation: positiveFlag(flags, "utilisation", 1) }) };
}

const arithmetics = ["float32", "tf32", "fp16", "bf16"] as const satisfies readonly Arithmetic[];

function readArithmetic(name: string | undefined): Arithmetic | undefined {
  const found = arithmetics.find((one) => one === name);
  if (name === undefined || found !== undefined) return found;
  throw new UsageError(where, `--arithmetic is "${name}"${didYouMean(name, arithmetics) || `: there is ${arithmetics.join(", ")}`}`);
}

function readLaw(flags: Flags): ScalingLaw {
  const name = stringFlag(flags, "law")!;
  const names = Object.keys(laws);
  if (Object.hasOwn(laws, name)) return laws[name as keyof typeof laws];
  throw new UsageError(where, `--law is "${name}"${didYouMean(name, names) || `: there is ${names.join(", ")}`}`);
}

/** The model's config must bear the sequences that are asked for. */
export function lengthFor(config: LlamaConfig, length: number | undefined): number {
  if (length !== undefined && length > config.contextLength)
    fail(where, `--length is ${length} but the model's context ${config.contextLength}: shorten it`);
  return length ?? config.contextLength;
}

function withoutUndefined<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
