// The plan on a machine: how fast, how long, and what it takes; on many accelerators by the fastest layout that fits.
import { CriaError } from "../base/index.ts";
import { type LlamaConfig, parameterCount } from "../model/index.ts";
import { amount, bytes } from "./amount.ts";
import { computationFor } from "./computation.ts";
import { carbonOf, energyOf } from "./cost.ts";
import { trainingFlopsPerToken, utilisationOf } from "./flops.ts";
import type { Allocation } from "./law.ts";
import { type Layout, layouts } from "./layout.ts";
import type { Machine } from "./machine.ts";
import { type TrainingPrecision, trainingPrecisions, trainingStateBytes } from "./memory.ts";
import { type Asked, lengthFor } from "./question.ts";

/** What the run takes on a machine: time, energy, carbon and money, as far as they are known. */
export interface RunReport {
  readonly machine: Omit<Machine, "accelerator">;
  /** Tokens per second of one accelerator. */
  readonly tokensPerSecond: number;
  /** The utilisation of the whole run: what was assumed, less what the layout costs. */
  readonly utilisation: number;
  readonly hours: number;
  readonly acceleratorHours: number;
  /** MWh, tonnes of CO2 equivalent, US dollars. */
  readonly energy?: number;
  readonly carbon?: number;
  readonly cost?: number;
  /** Where these numbers say less than they seem to. */
  readonly notes: readonly string[];
}

/** The fastest first, or why there is none. */
export type LayoutsReport = readonly Layout[] | { readonly problem: string };

/** The run on a machine, and the layouts that were weighed. */
export interface RunOn {
  readonly run: RunReport;
  /** Where accelerators were counted. */
  readonly layouts?: LayoutsReport;
}

/** Speeds are those of the plan's own size, from which the nearest shape differs by a few percent. */
export function runOn(asked: Asked, machine: Machine, plan: Allocation, config: LlamaConfig): RunOn {
  const length = lengthFor(config, asked.length);
  const perToken = trainingFlopsPerToken(config, length) * (plan.parameters / parameterCount(config));
  const found = asked.isCluster ? tryLayouts(asked, machine, plan, config, length) : undefined;
  const speed = found === undefined || "problem" in found ? undefined : found[0]!.tokensPerSecond;
  const run = { ...runReport(plan, machine, perToken, speed), notes: notesOf(asked, machine, config) };
  return { run, ...(found && { layouts: found }) };
}

function tryLayouts(asked: Asked, machine: Machine, plan: Allocation, config: LlamaConfig, length: number): LayoutsReport {
  const { accelerator, count, peak } = machine;
  const precision = precisionOf(machine);
  const share = parameterCount(config) / plan.parameters;
  try {
    const job = { config, precision, batchTokens: asked.batchTokens, length };
    const cluster = { accelerator: accelerator!, count, peak };
    // What a person says is of the whole run, as everywhere.
    const said = asked.machine.utilisation;
    const utilisation = said === undefined ? (machine.computation ?? machine.utilisation) : computationFor(job, cluster, said);
    const found = layouts(job, { ...cluster, utilisation });
    return found.map((one) => ({ ...one, tokensPerSecond: one.tokensPerSecond * share }));
  } catch (error) {
    if (!(error instanceof CriaError)) throw error;
    return { problem: error.message.slice(`[${error.where}] `.length) };
  }
}

function precisionOf({ arithmetic }: Pick<Machine, "arithmetic">): TrainingPrecision {
  return arithmetic === "float32" || arithmetic === "tf32" ? trainingPrecisions.float32 : trainingPrecisions.mixed;
}

/** The number of parameters below which products are too small to fill an accelerator as those of published runs do. */
const largeModel = 1e8;

function notesOf(asked: Asked, { accelerator, name, ...machine }: Machine, config: LlamaConfig): string[] {
  if (accelerator === undefined) return [];
  const parameters = parameterCount(config);
  const states = trainingStateBytes(parameters, precisionOf(machine));
  const taken = states.weights + states.gradients + states.optimiser;
  return [
    ...(asked.machine.utilisation === undefined && parameters < largeModel
      ? [
          `that utilisation is a large model's and does not hold for one of ${amount(parameters)} parameters, whose products are too small to fill such a board: training takes longer than this, and a utilisation of your own says how much`,
        ]
      : []),
    ...(!asked.isCluster && taken > accelerator.memory
      ? [
          `weights, gradients and optimiser take ${bytes(taken)} and do not fit the ${bytes(accelerator.memory)} of one ${name}: count several, over which they are laid out`,
        ]
      : []),
  ];
}

/** @param perToken operations; @param speed tokens/s of all accelerators by their layout, without one that of each by itself */
function runReport(plan: Allocation, machine: Machine, perToken: number, speed: number | undefined): Omit<RunReport, "notes"> {
  const { accelerator: _, ...shown } = machine;
  const { count, peak, utilisation, watts, price } = machine;
  const tokensPerSecond = speed === undefined ? (peak * utilisation) / perToken : speed / count;
  const acceleratorHours = plan.tokens / tokensPerSecond / 3600;
  const energy = watts === undefined ? undefined : energyOf(acceleratorHours, watts);
  return {
    ...{ machine: shown, tokensPerSecond, utilisation: utilisationOf(perToken, tokensPerSecond, peak) },
    ...{ hours: acceleratorHours / count, acceleratorHours },
    ...(energy !== undefined && { energy, carbon: carbonOf(energy) }),
    ...(price !== undefined && { cost: acceleratorHours * price }),
  };
}
