// The plan on a machine: how fast, how long, and what it takes; on many accelerators by the fastest layout that fits.
import { CriaError } from "../../base/index.ts";
import { type LlamaConfig, parameterCount } from "../../model/index.ts";
import {
  type Allocation,
  carbonOf,
  energyOf,
  type Layout,
  layouts,
  trainingFlopsPerToken,
  trainingPrecisions,
  utilisationOf,
} from "../../plan/index.ts";
import { type Asked, lengthFor } from "./ask.ts";
import type { Machine } from "./machine.ts";

export interface RunReport {
  readonly machine: Omit<Machine, "accelerator">;
  /** Of one accelerator. */
  readonly tokensPerSecond: number;
  /** Of the whole run: what was assumed, less what the layout costs. */
  readonly utilisation: number;
  readonly hours: number;
  readonly acceleratorHours: number;
  /** MWh, tonnes of CO2 equivalent, US dollars. */
  readonly energy?: number;
  readonly carbon?: number;
  readonly cost?: number;
}

/** The fastest first, or why there is none. */
export type LayoutsReport = readonly Layout[] | { readonly problem: string };

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
  return { run: runReport(plan, machine, perToken, speed), ...(found && { layouts: found }) };
}

function tryLayouts(asked: Asked, machine: Machine, plan: Allocation, config: LlamaConfig, length: number): LayoutsReport {
  const { accelerator, count, peak, utilisation, arithmetic } = machine;
  const precision = arithmetic === "float32" || arithmetic === "tf32" ? trainingPrecisions.float32 : trainingPrecisions.mixed;
  const share = parameterCount(config) / plan.parameters;
  try {
    const cluster = { accelerator: accelerator!, count, peak, utilisation };
    const found = layouts({ config, precision, batchTokens: asked.batchTokens, length }, cluster);
    return found.map((one) => ({ ...one, tokensPerSecond: one.tokensPerSecond * share }));
  } catch (error) {
    if (!(error instanceof CriaError)) throw error;
    return { problem: error.message.slice(`[${error.where}] `.length) };
  }
}

/** @param perToken operations; @param speed tokens/s of all accelerators by their layout, without one that of each by itself */
function runReport(plan: Allocation, machine: Machine, perToken: number, speed: number | undefined): RunReport {
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
