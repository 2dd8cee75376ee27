// The parameters of POST /v1/messages and /v1/messages/count_tokens, one row per key of the SDK's own types.
import type { MessageCountTokensParams, MessageCreateParams } from "@anthropic-ai/sdk/resources/messages/messages";
import { z } from "zod";
import { bodySchema, harmless, type KeyTable, obeyed, refused, required } from "../keys.ts";

/** A message or a block; the room dialogue checks it, and names what is wrong. */
const loose = z.looseObject({});
const isParallel = { disable_parallel_tool_use: z.boolean().nullish() };

const toolChoice = z.discriminatedUnion("type", [
  z.object({ type: z.literal("auto"), ...isParallel }),
  z.object({ type: z.literal("any"), ...isParallel }),
  z.object({ type: z.literal("tool"), name: z.string(), ...isParallel }),
  z.object({ type: z.literal("none") }),
]);

const thinking = z.discriminatedUnion("type", [
  z.object({ type: z.literal("enabled"), budget_tokens: z.int().min(1024).nullish(), display: z.string().nullish() }),
  z.object({ type: z.literal("adaptive"), display: z.string().nullish() }),
  z.object({ type: z.literal("disabled") }),
]);

const outputConfig = z.strictObject({
  effort: z.enum(["low", "medium", "high", "xhigh", "max"]).nullish(),
  format: z.strictObject({ type: z.literal("json_schema"), schema: z.record(z.string(), z.unknown()) }).nullish(),
});

/** What counting tokens reads of a request, too. */
const promptKeys = {
  messages: required(z.array(loose).min(1)),
  model: required(z.string()),
  system: obeyed(z.union([z.string(), z.array(loose)])),
  thinking: obeyed(thinking),
  tools: obeyed(z.array(z.looseObject({ name: z.string().nullish(), type: z.string().nullish() }))),
  tool_choice: obeyed(toolChoice),
  output_config: obeyed(outputConfig),
  cache_control: harmless(loose),
  speed: harmless(z.enum(["standard", "fast"])),
  user_profile_id: harmless(z.string()),
  workspace_id: harmless(z.string()),
} as const satisfies KeyTable<keyof MessageCountTokensParams>;

const ownKeys = {
  ...promptKeys,
  max_tokens: required(z.int().min(1)),
  stop_sequences: obeyed(z.array(z.string().min(1)).max(16)),
  stream: obeyed(z.boolean()),
  container: refused("this server runs no code: leave it out"),
  diagnostics: harmless(loose),
  inference_geo: harmless(z.string()),
  metadata: harmless(loose),
  service_tier: harmless(z.string()),
} as const satisfies KeyTable<keyof MessageCreateParams>;

/** Parameters that earlier versions of the protocol have, and programs still send. */
const earlierKeys = {
  temperature: obeyed(z.number().min(0).max(1)),
  top_p: obeyed(z.number().gt(0).max(1)),
  top_k: obeyed(z.int().min(0)),
} as const;

/** The schema of a request for a message. */
export const messagesBody = bodySchema({ ...ownKeys, ...earlierKeys });
/** A request for a message after parsing. */
export type MessagesBody = z.output<typeof messagesBody>;

/** The schema of a request to count tokens. */
export const countBody = bodySchema(promptKeys);
/** A request to count tokens after parsing. */
export type CountBody = z.output<typeof countBody>;
