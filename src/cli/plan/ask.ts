// The flags of cria plan, checked and put in order.
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { didYouMean, UsageError } from "../../base/index.ts";
import { openConfig } from "../../load/index.ts";
import { type LlamaConfig, type PresetName, parameterCount, presets } from "../../model/index.ts";
import {
  type Arithmetic,
  type Asked,
  accelerator,
  type Budget,
  laws,
  lengthFor,
  llamaBatchTokens,
  type MachineAsked,
  peakOf,
  publishedRuns,
  type ScalingLaw,
} from "../../plan/index.ts";
import type { CommandIo, FlagRow, Flags } from "../command.ts";
import { stringFlag } from "../flag-values.ts";
import { countFlag, lengthFlag, positiveFlag, quantityFlag } from "./quantity.ts";

const where = "plan";

/** The flags of `cria plan`. */
export const planFlags: readonly FlagRow[] = [
  { name: "flops", type: "string", value: "N", help: "a budget of floating-point operations, such as 1e22" },
  { name: "gpu-hours", type: "string", value: "N", help: "a budget of accelerator-hours of --gpu" },
  { name: "hours", type: "string", value: "N", help: "a budget of time: on --gpus of --gpu, or on this machine, measured" },
  { name: "money", type: "string", value: "N", help: "a budget in US dollars, for --gpu at --price" },
  { name: "parameters", type: "string", value: "N", help: "the model's size, such as 7B" },
  { name: "preset", type: "string", value: "NAME", help: "the model by name: 7B, 13B, 33B, 65B as in the paper, or 260K to 110M" },
  { name: "tokens", type: "string", value: "N", help: "tokens that it is trained on, such as 1T; the paper's for its presets" },
  { name: "loss", type: "string", value: "N", help: "the loss to reach, in nats per token" },
  {
    name: "serve-tokens",
    type: "string",
    value: "N",
    help: "tokens that it will serve in its life, such as 1T: moves the optimum to smaller models",
  },
  { name: "gpu", type: "string", value: "NAME", help: "a100-80gb (the paper's, the default), a100-40gb, h100-sxm, h200, v100 or rtx-4090" },
  { name: "gpus", type: "string", value: "N", help: "how many accelerators: adds the parallel layouts that fit" },
  { name: "arithmetic", type: "string", value: "NAME", help: "float32, tf32, fp16 or bf16; the fastest of 16 bits by default" },
  {
    name: "utilisation",
    type: "string",
    value: "N",
    help: "MFU, the share of the peak that training reaches, 0 to 1; a published run's by default",
  },
  { name: "price", type: "string", value: "N", help: "US dollars per accelerator-hour" },
  { name: "watts", type: "string", value: "N", help: "power that one accelerator draws, in watts; its limit by default" },
  {
    name: "batch-tokens",
    type: "string",
    value: "N",
    help: `tokens per step, which --gpus share; ${llamaBatchTokens.toLocaleString("en-US")} by default, the paper's 4M`,
  },
  { name: "length", type: "string", value: "N", help: "tokens per sequence; the model's context by default" },
  { name: "law", type: "string", value: "NAME", help: "which scaling law decides: besiroglu, the default, or hoffmann" },
  { name: "fit", type: "boolean", help: "fit the law to the finished runs that are named, or in the folders that are, and go by it" },
  { name: "plot", type: "boolean", help: "draw loss over parameters and tokens in the terminal" },
  { name: "svg", type: "string", value: "FILE", help: "write the plot to this file" },
];

/** What reading a model tells, and what stops it. */
export type AskIo = Pick<CommandIo, "signal" | "progress">;

/** @param isFit the arguments are runs, not a model. @throws UsageError for flags that contradict each other or cannot be read */
export async function readAsked(args: readonly string[], flags: Flags, isFit: boolean, io: AskIo): Promise<Asked> {
  if (isFit) checkFit(args, flags);
  const length = lengthFlag(flags, "length");
  const budget = readBudget(flags);
  const machine = readMachine(flags, isFit);
  const law = readLaw(flags);
  const model = await readModel(isFit ? [] : args, flags, io);
  if (model) lengthFor(model.config, length);
  const [tokens, loss] = [quantityFlag(flags, "tokens"), quantityFlag(flags, "loss")];
  const parameters = model ? parameterCount(model.config) : quantityFlag(flags, "parameters");
  const papers = publishedRuns.find((run) => run.preset === stringFlag(flags, "preset") && run.preset !== undefined)?.tokens;
  const isPapersTokens = papers !== undefined && tokens === undefined && loss === undefined && budget === undefined;
  const known = { parameters, tokens: isPapersTokens ? papers : tokens, loss };
  const asked: Asked = {
    given: withoutUndefined(known),
    ...withoutUndefined({ budget, model, served: quantityFlag(flags, "serve-tokens"), length }),
    ...{ isPapersTokens, machine, isCluster: flags.gpus !== undefined, law },
    batchTokens: lengthFlag(flags, "batch-tokens") ?? llamaBatchTokens,
  };
  const count = Object.keys(asked.given).length + (budget ? 1 : 0);
  if (count > 2)
    throw new UsageError(where, "a budget, parameters, tokens and a loss: two of them decide the rest, and more are given: leave some out");
  if (count === 0 && !isFit)
    throw new UsageError(where, "there is nothing to plan by: give a budget, --parameters or --preset, --tokens or --loss");
  return asked;
}

/** What --fit would make no use of. */
function checkFit(args: readonly string[], flags: Flags): void {
  if (args.length === 0) throw new UsageError(where, "--fit has no runs: name finished ones, or a folder of them, as in --fit runs");
  const twice = args.find((path, i) => args.findIndex((one) => resolve(one) === resolve(path)) < i);
  if (twice !== undefined) throw new UsageError(where, `${twice} is named twice, but a run counts once: leave one out`);
  if (flags.law !== undefined) throw new UsageError(where, "--fit finds a law and --law names one: leave one out");
}

async function readModel(args: readonly string[], flags: Flags, io: AskIo): Promise<Asked["model"]> {
  const [path, more] = args;
  const name = stringFlag(flags, "preset");
  if (more !== undefined) throw new UsageError(where, `"${more}" is one too many: name one model, or add --fit to fit the law to runs`);
  const ways = [path, name && "--preset", flags.parameters && "--parameters"].filter((way) => way !== undefined);
  if (ways.length > 1) throw new UsageError(where, `${ways.join(" and ")} both name a model: leave one out`);
  if (name !== undefined) return { name, config: readPreset(name), warnings: [] };
  if (path === undefined) return undefined;
  if (isPresetAndNoPath(path))
    throw new UsageError(where, `there is no file or folder "${path}": did you mean --preset ${presetNamed(path)}?`);
  return { name: path, ...(await openConfig(path, { signal: io.signal, onProgress: io.progress })) };
}

function isPresetAndNoPath(path: string): boolean {
  return presetNamed(path) !== undefined && !existsSync(path);
}

/** The name of a preset, whether it is asked for in capitals or not. */
function presetNamed(name: string): string | undefined {
  return Object.keys(presets).find((one) => one.toLowerCase() === name.toLowerCase());
}

function readPreset(name: string): LlamaConfig {
  if (Object.hasOwn(presets, name)) return presets[name as PresetName];
  const names = Object.keys(presets);
  throw new UsageError(where, `--preset is "${name}"${didYouMean(name, names)}: there is ${names.join(", ")}`);
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

/** A named accelerator; without a name this machine for hours and for what one's own runs tell, for all else the paper's. */
function readMachine(flags: Flags, isFit: boolean): MachineAsked {
  const name = stringFlag(flags, "gpu");
  const isHere = name === undefined && (isFit || flags.hours !== undefined);
  if (isHere && flags["gpu-hours"] !== undefined)
    throw new UsageError(where, "--gpu-hours are hours of an accelerator: name it with --gpu, or give --hours of this machine");
  if (isHere && flags.gpus !== undefined)
    throw new UsageError(
      where,
      "--gpus counts accelerators, but this plan is for the machine it runs on: name them with --gpu, or leave it out",
    );
  if (flags["batch-tokens"] !== undefined && flags.gpus === undefined)
    throw new UsageError(where, "--batch-tokens is what --gpus share: say how many there are, or leave it out");
  const gpus = countFlag(flags, "gpus") ?? 1;
  if (gpus > 1e6) throw new UsageError(where, `--gpus is ${gpus} but there are at most a million`);
  const arithmetic = readArithmetic(stringFlag(flags, "arithmetic"));
  const board = isHere ? undefined : accelerator(name ?? "a100-80gb");
  if (board === undefined) checkHere(arithmetic);
  else peakOf(board, arithmetic);
  const [price, watts] = [positiveFlag(flags, "price"), positiveFlag(flags, "watts")];
  return { gpus, ...withoutUndefined({ board, arithmetic, price, watts, utilisation: positiveFlag(flags, "utilisation", 1) }) };
}

const arithmetics = ["float32", "tf32", "fp16", "bf16"] as const satisfies readonly Arithmetic[];

function readArithmetic(name: string | undefined): Arithmetic | undefined {
  const found = arithmetics.find((one) => one === name);
  if (name === undefined || found !== undefined) return found;
  throw new UsageError(where, `--arithmetic is "${name}"${didYouMean(name, arithmetics) || `: there is ${arithmetics.join(", ")}`}`);
}

function checkHere(arithmetic: Arithmetic | undefined): void {
  if (arithmetic === "tf32" || arithmetic === "fp16")
    throw new UsageError(where, `this machine trains in float32 or bf16, not in ${arithmetic}: choose one, or name a --gpu`);
}

function readLaw(flags: Flags): ScalingLaw {
  const name = stringFlag(flags, "law") ?? "besiroglu";
  const names = Object.keys(laws);
  if (Object.hasOwn(laws, name)) return laws[name as keyof typeof laws];
  throw new UsageError(where, `--law is "${name}"${didYouMean(name, names) || `: there is ${names.join(", ")}`}`);
}

function withoutUndefined<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
