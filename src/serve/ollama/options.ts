// Ollama's options, one row per key of the client's own type, and what they become.
import type { Options } from "ollama";
import { z } from "zod";
import type { WritingOptions } from "../generation.ts";
import { bodySchema, harmless, type KeyTable, obeyed, refused } from "../keys.ts";
import { refuse } from "../request-error.ts";

const penalty = z.number().min(-2).max(2);

const optionKeys = {
  seed: obeyed(z.int()),
  /** Tokens of the text at most; −1 and −2 leave it to the context. */
  num_predict: obeyed(z.int().min(-2)),
  num_ctx: obeyed(z.int().min(1)),
  temperature: obeyed(z.number().min(0)),
  top_k: obeyed(z.int().min(0)),
  top_p: obeyed(z.number().gt(0).max(1)),
  min_p: obeyed(z.number().min(0).max(1)),
  typical_p: obeyed(z.number().gt(0).max(1)),
  repeat_penalty: obeyed(z.number().gt(0)),
  /** Tokens that penalties look back over; 0 is none of them, −1 all. */
  repeat_last_n: obeyed(z.int().min(-1)),
  presence_penalty: obeyed(penalty),
  frequency_penalty: obeyed(penalty),
  mirostat: obeyed(z.union([z.literal(0), z.literal(1), z.literal(2)])),
  mirostat_tau: obeyed(z.number().gt(0)),
  mirostat_eta: obeyed(z.number().gt(0)),
  stop: obeyed(z.array(z.string().min(1)).max(16)),
  tfs_z: refused("tail-free sampling is not offered: use min_p", 1),
  penalize_newline: refused("penalties hold for line ends, too: leave it out", true),
  num_keep: refused("nothing of a prompt is ever cut off here: leave it out", 0, 4),
  numa: harmless(z.boolean()),
  num_batch: harmless(z.number()),
  num_gpu: harmless(z.number()),
  main_gpu: harmless(z.number()),
  low_vram: harmless(z.boolean()),
  f16_kv: harmless(z.boolean()),
  logits_all: harmless(z.boolean()),
  vocab_only: harmless(z.boolean()),
  use_mmap: harmless(z.boolean()),
  use_mlock: harmless(z.boolean()),
  embedding_only: harmless(z.boolean()),
  num_thread: harmless(z.number()),
} as const satisfies KeyTable<keyof Options>;

/** The schema of options. */
export const optionsSchema = bodySchema(optionKeys);
/** Options after parsing. */
export type OllamaOptions = z.output<typeof optionsSchema>;

/** Tokens of the text at most; undefined where the context decides. */
export function mostTokens({ num_predict: most }: OllamaOptions): number | undefined {
  return most === undefined || most < 0 ? undefined : most;
}

/** @throws RequestError for a context that the model does not have: its size is chosen when the server is started */
export function checkContext({ num_ctx: asked }: OllamaOptions, contextLength: number): void {
  if (asked !== undefined && asked > contextLength)
    refuse(`options.num_ctx is ${asked}, but this model is served with a context of ${contextLength}: ask for less`, "options.num_ctx");
}

/** The engine's options. */
export function writingOptions(options: OllamaOptions): WritingOptions {
  const { mirostat = 0, repeat_last_n: last = -1 } = options;
  const penalties = {
    repetitionPenalty: options.repeat_penalty,
    presencePenalty: options.presence_penalty,
    frequencyPenalty: options.frequency_penalty,
    ...(last > 0 && { penaltyLast: last }),
  };
  const named = {
    temperature: options.temperature,
    topK: options.top_k,
    topP: options.top_p,
    minP: options.min_p,
    typicalP: options.typical_p,
    ...(last !== 0 && penalties),
    seed: options.seed,
    stop: options.stop,
    ...(mirostat > 0 && { mirostat, mirostatTau: options.mirostat_tau, mirostatEta: options.mirostat_eta }),
  };
  return Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined));
}
