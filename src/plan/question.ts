// What a plan is asked for: any of a budget, a size, tokens and a loss, and what it runs on.
import { UsageError } from "../base/index.ts";
import type { LlamaConfig } from "../model/index.ts";
import type { ScalingLaw } from "./law.ts";
import type { MachineAsked } from "./machine.ts";
import type { Given } from "./solve.ts";

const where = "plan";

/** A budget and its unit. */
export interface Budget {
  readonly kind: "operations" | "accelerator-hours" | "hours" | "dollars";
  readonly value: number;
  /** Not the person's: so many times the largest run's operations, to go on from runs. */
  readonly timesLargest?: number;
}

/** What a plan is asked for. */
export interface Asked {
  readonly budget?: Budget;
  /** What is given but the operations, which follow from the budget. */
  readonly given: Omit<Given, "flops">;
  /** The model that was named, with what its files say and cria does not follow. */
  readonly model?: { readonly name: string; readonly config: LlamaConfig; readonly warnings: readonly string[] };
  /** The tokens are not the person's but the paper's. */
  readonly isPapersTokens: boolean;
  readonly served?: number;
  readonly machine: MachineAsked;
  /** Whether accelerators were counted: layouts over them are planned then. */
  readonly isCluster: boolean;
  readonly batchTokens: number;
  readonly length?: number;
  readonly law: ScalingLaw;
  /** The vocabulary of the tokenizer that a model of one's own would have. */
  readonly vocabSize?: number;
}

/** The model's config must bear the sequences that are asked for. @throws UsageError when it cannot */
export function lengthFor(config: LlamaConfig, length: number | undefined): number {
  if (length !== undefined && length > config.contextLength)
    throw new UsageError(where, `length is ${length} but the model's context ${config.contextLength}: shorten it`, { ways: ["length"] });
  return length ?? config.contextLength;
}
