// The parameters of POST /v1/chat/completions, one row per key of the SDK's own type.
import type { ChatCompletionCreateParams } from "openai/resources/chat/completions";
import { z } from "zod";
import { bodySchema, harmless, type KeyTable, obeyed, refused, required } from "../keys.ts";
import { extensionKeys, samplingKeys } from "./sampling-keys.ts";

const textOnly = "cria's models read and write text only";

/** A message; the room chat checks it, and names what is wrong. */
const message = z.looseObject({ role: z.string() });

const named = z.object({ name: z.string() });
const toolChoice = z.union([
  z.enum(["none", "auto", "required"]),
  z.object({ type: z.literal("function"), function: named }),
  z.object({
    type: z.literal("allowed_tools"),
    allowed_tools: z.object({
      mode: z.enum(["auto", "required"]),
      tools: z.array(z.looseObject({ type: z.string(), function: named.nullish() })),
    }),
  }),
]);

const responseFormat = z.discriminatedUnion("type", [
  z.object({ type: z.literal("text") }),
  z.object({ type: z.literal("json_object") }),
  z.object({
    type: z.literal("json_schema"),
    json_schema: z.object({
      name: z.string().min(1),
      description: z.string().nullish(),
      schema: z.union([z.boolean(), z.record(z.string(), z.unknown())]).nullish(),
      strict: z.boolean().nullish(),
    }),
  }),
]);

const ownKeys = {
  ...samplingKeys,
  messages: required(z.array(message).min(1)),
  model: required(z.string()),
  max_tokens: obeyed(z.int().min(1)),
  max_completion_tokens: obeyed(z.int().min(1)),
  logprobs: obeyed(z.boolean()),
  top_logprobs: obeyed(z.int().min(0).max(20)),
  response_format: obeyed(responseFormat),
  tools: obeyed(z.array(z.looseObject({ type: z.string() }))),
  tool_choice: obeyed(toolChoice),
  parallel_tool_calls: obeyed(z.boolean()),
  functions: refused("it is deprecated: use tools", []),
  function_call: refused("it is deprecated: use tool_choice", "none"),
  reasoning_effort: obeyed(z.enum(["none", "minimal", "low", "medium", "high", "xhigh"])),
  modalities: refused(textOnly, ["text"]),
  audio: refused(textOnly),
  prediction: refused("texts are not predicted here: leave it out, the text is the same"),
  web_search_options: refused("this server searches nothing: leave it out"),
  verbosity: refused("no model here knows it: say in the messages how long an answer should be", "medium"),
  metadata: harmless(z.record(z.string(), z.string())),
  store: harmless(z.boolean()),
  service_tier: harmless(z.string()),
  safety_identifier: harmless(z.string()),
  prompt_cache_key: harmless(z.string()),
  prompt_cache_retention: harmless(z.string()),
} as const satisfies KeyTable<keyof ChatCompletionCreateParams>;

/** The rows: OpenAI's own, and extensions. */
export const chatKeys = {
  ...ownKeys,
  ...extensionKeys,
  /** Variables of the chat template, as vLLM and llama.cpp call them: { "enable_thinking": false }. */
  chat_template_kwargs: obeyed(z.record(z.string(), z.unknown())),
} as const;

/** The schema of a request's body. */
export const chatBody = bodySchema(chatKeys);
/** A request's body after parsing. */
export type ChatBody = z.output<typeof chatBody>;
