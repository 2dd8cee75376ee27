// The parameters that OpenAI's chat and completions share: what each may be, and the option of the engine that it becomes.
import { z } from "zod";
import type { WritingOptions } from "../generation.ts";
import { harmless, obeyed } from "../keys.ts";
import { refuse } from "../request-error.ts";

const penalty = z.number().min(-2).max(2);
const count = z.int().min(1);

/** Sampling, and what ends a text. */
export const samplingKeys = {
  temperature: obeyed(z.number().min(0).max(2)),
  top_p: obeyed(z.number().gt(0).max(1)),
  frequency_penalty: obeyed(penalty),
  presence_penalty: obeyed(penalty),
  logit_bias: obeyed(z.record(z.string().regex(/^\d{1,9}$/, "must be the id of a token"), z.number().min(-100).max(100))),
  seed: obeyed(z.int()),
  stop: obeyed(z.union([z.string().min(1), z.array(z.string().min(1)).max(16)])),
  n: obeyed(count),
  stream: obeyed(z.boolean()),
  stream_options: obeyed(z.object({ include_usage: z.boolean().nullish(), include_obfuscation: z.boolean().nullish() })),
  user: harmless(z.string()),
} as const;

/** Extensions of the protocol that other servers of open models have by these names. */
export const extensionKeys = {
  top_k: obeyed(z.int().min(0)),
  min_p: obeyed(z.number().min(0).max(1)),
  typical_p: obeyed(z.number().gt(0).max(1)),
  repetition_penalty: obeyed(z.number().gt(0)),
  min_tokens: obeyed(z.int().min(0)),
  grammar: obeyed(z.string().min(1)),
} as const;

/** What the shared parameters are after parsing. */
export interface SharedBody {
  readonly temperature?: number | undefined;
  readonly top_p?: number | undefined;
  readonly frequency_penalty?: number | undefined;
  readonly presence_penalty?: number | undefined;
  readonly logit_bias?: Readonly<Record<string, number>> | undefined;
  readonly seed?: number | undefined;
  readonly stop?: string | readonly string[] | undefined;
  readonly n?: number | undefined;
  readonly stream?: boolean | undefined;
  readonly stream_options?: { readonly include_usage?: boolean | null | undefined } | undefined;
  readonly top_k?: number | undefined;
  readonly min_p?: number | undefined;
  readonly typical_p?: number | undefined;
  readonly repetition_penalty?: number | undefined;
  readonly min_tokens?: number | undefined;
  readonly grammar?: string | undefined;
}

/** Whether usage comes at the end of a stream. @throws RequestError for options of a stream where there is none */
export function wantsUsage({ stream = false, stream_options: options }: SharedBody): boolean {
  if (options !== undefined && !stream) refuse("stream_options is given, but stream is not true: leave it out", "stream_options");
  return options?.include_usage === true;
}

/** The engine's options for the shared parameters. */
export function writingOptions(body: SharedBody): WritingOptions {
  const { stop, logit_bias: bias } = body;
  return {
    temperature: body.temperature,
    topP: body.top_p,
    frequencyPenalty: body.frequency_penalty,
    presencePenalty: body.presence_penalty,
    logitBias: bias === undefined ? undefined : new Map(Object.entries(bias).map(([id, value]) => [Number(id), value])),
    seed: body.seed,
    stop: typeof stop === "string" ? [stop] : stop,
    topK: body.top_k,
    minP: body.min_p,
    typicalP: body.typical_p,
    repetitionPenalty: body.repetition_penalty,
    minTokens: body.min_tokens,
    grammar: body.grammar,
  } as WritingOptions;
}
