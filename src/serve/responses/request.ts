// A body of /v1/responses as a request for the engine.
import { responsesMessages, type Tool } from "../../dialogue/index.ts";
import type { DialogueOptions } from "../../llama/index.ts";
import type { RequestContext } from "../context.ts";
import type { GenerationRequest } from "../generation.ts";
import { writingOptions } from "../openai/sampling-keys.ts";
import { type ParamNames, refuse } from "../request-error.ts";
import type { ResponseBody } from "./keys.ts";

/** What errors call the parameters that have other names in chats. */
const names: ParamNames = [
  [/\btools\[(\d+)\]\.function\b/g, "tools[$1]"],
  [/\bresponse_format\b/g, "text.format"],
  [/\breasoning_effort\b/g, "reasoning.effort"],
  [/\bmax_tokens\b/g, "max_output_tokens"],
  [/^messages$/, "input"],
];

/** @throws RequestError for parameters that contradict each other, and CriaError naming an item that cannot be read */
export function responseRequest(context: RequestContext, body: ResponseBody): GenerationRequest {
  const { input, instructions, grammar, text, tools = [], top_logprobs: top } = body;
  const effort = body.reasoning?.effort ?? undefined;
  const isLogged = wantsLogprobs(body);
  if (top !== undefined && top > 0 && !isLogged)
    refuse('top_logprobs is given, but include has no "message.output_text.logprobs": add it, or leave top_logprobs out', "top_logprobs");
  if (grammar !== undefined && ((text?.format ?? { type: "text" }).type !== "text" || tools.length > 0))
    refuse("grammar is given beside text.format or tools: a text keeps to one of them", "grammar");
  context.notes.prompt = input;
  return {
    model: body.model,
    prompts: [{ messages: responsesMessages({ instructions, input }), dialogue: dialogueOf(context, body), effort }],
    maxTokens: body.max_output_tokens,
    options: { ...writingOptions(body), ...(isLogged && { logProbabilities: top ?? 0 }) },
    ...{ key: context.key, signal: context.signal, names },
  };
}

/** Whether a message's text comes with log-probabilities. */
export function wantsLogprobs({ include = [] }: ResponseBody): boolean {
  return include.includes("message.output_text.logprobs");
}

/** The tools that a model can be given here: functions. */
export function functionsOf({ tools = [] }: ResponseBody): NonNullable<ResponseBody["tools"]> {
  return tools.filter(({ type }) => type === "function");
}

function dialogueOf(context: RequestContext, body: ResponseBody): DialogueOptions {
  const ignored = (body.tools ?? []).filter(({ type }) => type !== "function");
  if (ignored.length > 0) context.ignoreTools(ignored.map(({ type }) => type));
  const format = body.text?.format;
  return {
    ...toolsOf(body),
    ...{ parallel: body.parallel_tool_calls, variables: body.chat_template_kwargs },
    responseFormat: format?.type === "json_schema" ? { type: format.type, schema: format.schema } : format,
  };
}

function toolsOf(body: ResponseBody): Pick<DialogueOptions, "tools" | "toolChoice"> {
  const { tool_choice: choice } = body;
  // What a tool must be is checked by the room dialogue, which names what is wrong.
  const tools = functionsOf(body).map(({ name, description, parameters, strict }) => ({
    type: "function",
    function: { name, description, parameters, strict },
  })) as unknown as readonly Tool[];
  if (typeof choice !== "object") return { tools, toolChoice: choice };
  if (choice.type === "function") return { tools, toolChoice: { name: choice.name } };
  const names = choice.tools.map(({ name }) => name);
  return { tools: tools.filter((tool) => names.includes(tool.function.name)), toolChoice: choice.mode };
}
