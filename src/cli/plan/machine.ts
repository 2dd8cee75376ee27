// What a plan runs on: a named accelerator, or this machine as a training step measures it.
import { cpus } from "node:os";
import type { Precision } from "../../base/index.ts";
import { type LlamaConfig, preset } from "../../model/index.ts";
import { type Accelerator, type Arithmetic, computationUtilisation, peakOf, trainingFlopsPerToken } from "../../plan/index.ts";
import { measureMatmul, measureStep } from "../../raise/index.ts";
import { completeRecipe, parseRecipe, settlePrecision, trainerOptions } from "../../train/index.ts";
import type { CommandIo } from "../command.ts";
import { openBackend } from "../open-backend.ts";
import { flopRate } from "./quantity.ts";

export interface Machine {
  readonly name: string;
  readonly count: number;
  readonly arithmetic: Arithmetic;
  /** FLOP/s of one. */
  readonly peak: number;
  /** Model FLOPs utilisation, 0 to 1, and why that. */
  readonly utilisation: number;
  readonly utilisationSource: string;
  /** That of a whole run in this arithmetic, whose waiting and communication it holds. */
  readonly isPublishedUtilisation: boolean;
  /** What is left of a published one when its run's own layout costs nothing; absent where that is not known. */
  readonly computation?: number;
  /** Watts and US dollars an hour of one, where known. */
  readonly watts?: number;
  readonly price?: number;
  readonly priceSource?: string;
  /** Ours, where a step was measured. */
  readonly isHere: boolean;
  /** Whose numbers a board's are. */
  readonly source?: string;
  /** Of this machine, and what its programs are compiled for. */
  readonly processor?: string;
  /** Absent for this machine. */
  readonly accelerator?: Accelerator;
}

/** What flags say over the rows. */
export interface MachineAsked {
  /** Absent for this machine. */
  readonly board?: Accelerator;
  readonly gpus: number;
  readonly utilisation?: number;
  readonly price?: number;
  readonly watts?: number;
  readonly arithmetic?: Arithmetic;
}

export function namedMachine(row: Accelerator, asked: MachineAsked): Machine {
  const chosen = peakOf(row, asked.arithmetic);
  return {
    ...{ name: row.name, count: asked.gpus, ...chosen, accelerator: row, isHere: false, source: row.source },
    ...utilisationFor(row, chosen.arithmetic, asked.utilisation),
    watts: asked.watts ?? row.power,
    price: asked.price ?? row.price,
    priceSource: asked.price === undefined ? "an example; --price says yours" : "--price",
  };
}

type Utilised = Pick<Machine, "utilisation" | "utilisationSource" | "isPublishedUtilisation" | "computation">;

/** Published runs are of 16 bits: in others their share of the peak is a guess. */
function utilisationFor(row: Accelerator, arithmetic: Arithmetic, said: number | undefined): Utilised {
  if (said !== undefined) return { utilisation: said, utilisationSource: "--utilisation", isPublishedUtilisation: false };
  const { share, source, isGuess } = row.utilisation;
  if (isGuess) return { utilisation: share, utilisationSource: source, isPublishedUtilisation: false };
  if (arithmetic === "float32" || arithmetic === "tf32")
    return {
      utilisation: share,
      utilisationSource: `a guess: measured in ${peakOf(row).arithmetic}, ${source}`,
      isPublishedUtilisation: false,
    };
  const computation = computationUtilisation(row);
  return { utilisation: share, utilisationSource: source, isPublishedUtilisation: true, ...(computation !== undefined && { computation }) };
}

const probe = "5M";
const batch = 4;

/** Three seconds of training on all threads, in the precision that cria train would choose; the peak is what matrix products reach in the same minute. */
export async function thisMachine({ arithmetic, utilisation, price, watts }: MachineAsked, io: CommandIo): Promise<Machine> {
  io.progress({ task: "measuring a training step here", done: 0, unit: "steps" });
  const config = preset(probe);
  await using backend = await openBackend(io);
  const recipe = await settlePrecision(probeRecipe(config, arithmetic), backend);
  const { precision } = recipe;
  const peak = await measureMatmul(backend, io.signal, precision);
  const seconds = await measureStep(backend, trainerOptions(recipe, false), { signal: io.signal });
  const rate = (trainingFlopsPerToken(config) * batch * config.contextLength) / seconds;
  return {
    ...{ name: "this machine", processor: `${cpus()[0]?.model.trim() || "an unknown processor"}; ${backend.name}` },
    ...{ count: 1, peak, isHere: true, isPublishedUtilisation: false },
    arithmetic: precision === "bfloat16" ? "bf16" : "float32",
    utilisation: utilisation ?? rate / peak,
    utilisationSource:
      utilisation === undefined
        ? `training steps of the ${probe} preset measured at ${flopRate(rate)}, 1024³ products at ${flopRate(peak)}`
        : "--utilisation, of measured 1024³ products",
    ...(watts !== undefined && { watts }),
    ...(price !== undefined && { price, priceSource: "--price" }),
  };
}

/** The others were refused when the flags were read. */
const precisions: { readonly [Name in Arithmetic]?: Precision } = { float32: "float32", bf16: "bfloat16" };

function probeRecipe(config: LlamaConfig, arithmetic: Arithmetic | undefined) {
  const precision = (arithmetic && precisions[arithmetic]) ?? "auto";
  const recipe = parseRecipe({ data: "none", tokenizer: "none", model: config, steps: 1, batch, precision }, "the plan's probe");
  return completeRecipe(recipe, config.vocabSize);
}
