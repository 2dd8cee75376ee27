// The parameters of POST /v1/completions, one row per key of the SDK's own type.
import type { CompletionCreateParams } from "openai/resources/completions";
import { z } from "zod";
import { bodySchema, type KeyTable, obeyed, refused, required } from "../keys.ts";
import { textsSchema } from "./prompts.ts";
import { extensionKeys, samplingKeys } from "./sampling-keys.ts";

const ownKeys = {
  ...samplingKeys,
  model: required(z.string()),
  prompt: obeyed(textsSchema),
  max_tokens: obeyed(z.int().min(0)),
  logprobs: obeyed(z.int().min(0).max(20)),
  echo: obeyed(z.boolean()),
  best_of: refused("texts are not ranked here: ask for n texts with logprobs, and choose", 1),
  suffix: refused("texts are only written forwards: leave it out", ""),
} as const satisfies KeyTable<keyof CompletionCreateParams>;

/** The rows: OpenAI's own, and extensions. */
export const completionKeys = { ...ownKeys, ...extensionKeys } as const;

/** The schema of a request's body. */
export const completionBody = bodySchema(completionKeys);
/** A request's body after parsing. */
export type CompletionBody = z.output<typeof completionBody>;
