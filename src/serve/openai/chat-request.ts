// A body of /v1/chat/completions as a request for the engine.
import type { Tool, ToolChoice } from "../../dialogue/index.ts";
import { openAiMessages } from "../../dialogue/index.ts";
import type { DialogueOptions } from "../../llama/index.ts";
import type { RequestContext } from "../context.ts";
import type { GenerationRequest } from "../generation.ts";
import { refuse } from "../request-error.ts";
import type { ChatBody } from "./chat-keys.ts";
import { writingOptions } from "./sampling-keys.ts";

/** @throws RequestError for parameters that contradict each other */
export function chatRequest(context: RequestContext, body: ChatBody): GenerationRequest {
  const { max_tokens: older, max_completion_tokens: newer, grammar, response_format: format, tools, logprobs, top_logprobs: top } = body;
  if (older !== undefined && newer !== undefined && older !== newer)
    refuse(`max_tokens is ${older} and max_completion_tokens ${newer}: they are the same, leave max_tokens out`, "max_tokens");
  if (top !== undefined && logprobs !== true)
    refuse("top_logprobs is given, but logprobs is not true: set it, or leave top_logprobs out", "top_logprobs");
  if (grammar !== undefined && ((format ?? { type: "text" }).type !== "text" || (tools ?? []).length > 0))
    refuse("grammar is given beside response_format or tools: a text keeps to one of them", "grammar");
  context.notes.prompt = body.messages;
  return {
    model: body.model,
    prompts: [{ messages: openAiMessages(body.messages), dialogue: dialogueOf(context, body), effort: body.reasoning_effort }],
    count: body.n ?? 1,
    maxTokens: newer ?? older,
    options: { ...writingOptions(body), ...(logprobs === true && { logProbabilities: top ?? 0 }) },
    ...{ key: context.key, signal: context.signal },
  };
}

function dialogueOf(context: RequestContext, body: ChatBody): DialogueOptions {
  const { tools, toolChoice } = toolsOf(context, body);
  const { response_format: format } = body;
  return {
    ...{ tools, toolChoice, parallel: body.parallel_tool_calls, variables: body.chat_template_kwargs },
    responseFormat:
      format?.type === "json_schema" ? { type: "json_schema", schema: format.json_schema.schema ?? { type: "object" } } : format,
  };
}

/** Tools that this server cannot run or hold a model to are left out and named in a header: well-known clients always send some. */
function toolsOf(context: RequestContext, { tools = [], tool_choice: choice }: ChatBody): Pick<DialogueOptions, "tools" | "toolChoice"> {
  const ignored = tools.filter(({ type }) => type !== "function");
  if (ignored.length > 0) context.ignoreTools(ignored.map(({ type }) => type));
  // What a tool must be is checked by the room dialogue, which names what is wrong.
  const known = tools.filter(({ type }) => type === "function") as unknown as readonly Tool[];
  if (typeof choice !== "object") return { tools: known, toolChoice: choice };
  if (choice.type === "function") return { tools: known, toolChoice: choice.function };
  const names = choice.allowed_tools.tools.map((tool) => tool.function?.name);
  const toolChoice: ToolChoice = choice.allowed_tools.mode;
  return { tools: known.filter((tool) => names.includes(tool.function?.name)), toolChoice };
}
