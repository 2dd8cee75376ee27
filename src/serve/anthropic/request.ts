// A body of /v1/messages as a request for the engine.
import { anthropicMessages, type Tool, type ToolChoice } from "../../dialogue/index.ts";
import type { DialogueOptions } from "../../llama/index.ts";
import type { RequestContext } from "../context.ts";
import type { ChatPrompt, GenerationRequest } from "../generation.ts";
import type { ParamNames } from "../request-error.ts";
import type { CountBody, MessagesBody } from "./keys.ts";

/** What errors call the parameters that have other names in OpenAI's chats. */
export const names: ParamNames = [
  [/\btools\[(\d+)\]\.function\.parameters\b/g, "tools[$1].input_schema"],
  [/\btools\[(\d+)\]\.function\b/g, "tools[$1]"],
  [/\bresponse_format\b/g, "output_config.format"],
  [/\breasoning_effort\b/g, "output_config.effort"],
];

/** A request for one message. */
export function messageRequest(context: RequestContext, body: MessagesBody): GenerationRequest {
  const { temperature, top_p: topP, top_k: topK, stop_sequences: stop } = body;
  context.notes.prompt = body.messages;
  return {
    model: body.model,
    prompts: [chatPrompt(context, body)],
    maxTokens: body.max_tokens,
    options: {
      ...(temperature !== undefined && { temperature }),
      ...(topP !== undefined && { topP }),
      ...(topK !== undefined && { topK }),
      ...(stop !== undefined && { stop }),
    },
    ...{ key: context.key, signal: context.signal, names },
  };
}

/** What the model reads. */
export function chatPrompt(context: RequestContext, { messages, system, output_config: output, thinking, ...body }: CountBody): ChatPrompt {
  const { tool_choice: choice } = body;
  const isParallel = choice !== undefined && "disable_parallel_tool_use" in choice ? choice.disable_parallel_tool_use !== true : undefined;
  const format = output?.format;
  const dialogue: DialogueOptions = {
    tools: toolsOf(context, body.tools ?? []),
    ...(choice !== undefined && { toolChoice: choiceOf(choice) }),
    ...(isParallel !== undefined && { parallel: isParallel }),
    ...(format && { responseFormat: { type: "json_schema", schema: format.schema } }),
  };
  const effort = thinking?.type === "disabled" ? "none" : (output?.effort ?? undefined);
  return { messages: anthropicMessages({ system, messages }), dialogue, ...(effort !== undefined && { effort }) };
}

function choiceOf(choice: NonNullable<CountBody["tool_choice"]>): ToolChoice {
  if (choice.type === "tool") return { name: choice.name };
  return choice.type === "any" ? "required" : choice.type;
}

/** Tools of the vendor's own, which carry a type with a version, cannot be run here: they are left out and named in a header. */
function toolsOf(context: RequestContext, tools: NonNullable<CountBody["tools"]>): readonly Tool[] {
  const isCustom = (type: string | null | undefined) => type === undefined || type === null || type === "custom";
  const ignored = tools.flatMap(({ type }) => (isCustom(type) ? [] : [type ?? ""]));
  if (ignored.length > 0) context.ignoreTools(ignored);
  const known = tools.filter(({ type }) => isCustom(type));
  // What a tool must be is checked by the room dialogue, which names what is wrong.
  return known.map(({ name, description, input_schema: parameters }) => ({
    type: "function",
    function: { name, description, parameters },
  })) as unknown as readonly Tool[];
}
