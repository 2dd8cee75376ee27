// This machine as a plan runs on it: a training step measures it.
import { cpus } from "node:os";
import type { Precision } from "../../base/index.ts";
import { type LlamaConfig, preset } from "../../model/index.ts";
import { type Arithmetic, flopRate, given, type Machine, type MachineAsked, trainingFlopsPerToken } from "../../plan/index.ts";
import { measureMatmul, measureStep } from "../../raise/index.ts";
import { completeRecipe, parseRecipe, settlePrecision, trainerOptions } from "../../train/index.ts";
import type { CommandIo } from "../command.ts";
import { openBackend } from "../open-backend.ts";

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
        : `${given}, of measured 1024³ products`,
    ...(watts !== undefined && { watts }),
    ...(price !== undefined && { price, priceSource: given }),
  };
}

/** The others were refused when the flags were read. */
const precisions: { readonly [Name in Arithmetic]?: Precision } = { float32: "float32", bf16: "bfloat16" };

function probeRecipe(config: LlamaConfig, arithmetic: Arithmetic | undefined) {
  const precision = (arithmetic && precisions[arithmetic]) ?? "auto";
  const recipe = parseRecipe({ data: "none", tokenizer: "none", model: config, steps: 1, batch, precision }, "the plan's probe");
  return completeRecipe(recipe, config.vocabSize);
}
