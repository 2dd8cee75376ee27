// The parameters of POST /v1/responses, one row per key of the SDK's own types: that of requests, and that of its WebSocket, which has two keys more.
import type { ResponseCreateParams, ResponseIncludable, ResponsesClientEvent } from "openai/resources/responses/responses";
import { z } from "zod";
import { bodySchema, harmless, type KeyTable, obeyed, refused, required } from "../keys.ts";
import { extensionKeys, samplingKeys } from "../openai/sampling-keys.ts";

const stateless = "this server stores no responses: send the whole conversation as input";

const toolChoice = z.union([
  z.enum(["none", "auto", "required"]),
  z.object({ type: z.literal("function"), name: z.string() }),
  z.object({
    type: z.literal("allowed_tools"),
    mode: z.enum(["auto", "required"]),
    tools: z.array(z.looseObject({ type: z.string(), name: z.string().nullish() })),
  }),
]);

const format = z.discriminatedUnion("type", [
  z.object({ type: z.literal("text") }),
  z.object({ type: z.literal("json_object") }),
  z.object({
    type: z.literal("json_schema"),
    name: z.string().min(1),
    description: z.string().nullish(),
    schema: z.union([z.boolean(), z.record(z.string(), z.unknown())]),
    strict: z.boolean().nullish(),
  }),
]);

const textKeys = {
  format: obeyed(format),
  verbosity: refused("no model here knows it: say in the instructions how long an answer should be", "medium"),
} as const;

/** A summary cannot change what is thought, which comes whole. */
const reasoning = z.object({
  effort: z.enum(["none", "minimal", "low", "medium", "high", "xhigh"]).nullish(),
  summary: z.enum(["auto", "concise", "detailed"]).nullish(),
  generate_summary: z.enum(["auto", "concise", "detailed"]).nullish(),
});

/** What is thought comes in the open, and all but log-probabilities are else of tools that are left out. */
const includable = z.enum([
  "message.output_text.logprobs",
  "reasoning.encrypted_content",
  "file_search_call.results",
  "web_search_call.results",
  "web_search_call.action.sources",
  "message.input_image.image_url",
  "computer_call_output.output.image_url",
  "code_interpreter_call.outputs",
] satisfies ResponseIncludable[]);

type ResponseKeys = keyof ResponseCreateParams | Exclude<keyof ResponsesClientEvent, "type">;

const ownKeys = {
  input: required(z.union([z.string(), z.array(z.looseObject({})).min(1)])),
  model: required(z.string()),
  instructions: obeyed(z.string()),
  max_output_tokens: obeyed(z.int().min(1)),
  temperature: samplingKeys.temperature,
  top_p: samplingKeys.top_p,
  top_logprobs: obeyed(z.int().min(0).max(20)),
  include: obeyed(z.array(includable)),
  text: obeyed(bodySchema(textKeys)),
  tools: obeyed(z.array(z.looseObject({ type: z.string(), name: z.string().nullish() }))),
  tool_choice: obeyed(toolChoice),
  parallel_tool_calls: obeyed(z.boolean()),
  reasoning: obeyed(reasoning),
  stream: obeyed(z.boolean()),
  /** Comes back in the response, and changes nothing. */
  metadata: obeyed(z.record(z.string(), z.string())),
  background: refused("answers come while the connection is open: leave it out", false),
  conversation: refused(stateless),
  previous_response_id: refused(stateless),
  prompt: refused("this server stores no prompts: send instructions and input"),
  context_management: refused("nothing of a conversation is cut or summed up here: send what fits", []),
  truncation: refused("nothing of a conversation is cut silently: send what fits", "disabled"),
  /** Bounds calls of the vendor's own tools, of which none is made here. */
  max_tool_calls: harmless(z.int().min(1)),
  stream_options: harmless(z.object({ include_obfuscation: z.boolean().nullish() })),
  store: harmless(z.boolean()),
  service_tier: harmless(z.string()),
  user: harmless(z.string()),
  safety_identifier: harmless(z.string()),
  prompt_cache_key: harmless(z.string()),
  prompt_cache_retention: harmless(z.string()),
} as const satisfies KeyTable<ResponseKeys>;

/** The parameters that chats have and the protocol of responses has not, as extensions. */
const chatKeys = {
  seed: samplingKeys.seed,
  stop: samplingKeys.stop,
  frequency_penalty: samplingKeys.frequency_penalty,
  presence_penalty: samplingKeys.presence_penalty,
  logit_bias: samplingKeys.logit_bias,
  chat_template_kwargs: obeyed(z.record(z.string(), z.unknown())),
} as const;

/** The schema of a request's body. */
export const responseBody = bodySchema({ ...ownKeys, ...extensionKeys, ...chatKeys });
/** A request's body after parsing. */
export type ResponseBody = z.output<typeof responseBody>;
