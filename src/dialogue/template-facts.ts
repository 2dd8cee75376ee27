// What a chat template tells of its model: found out once by short chats, because no file says it.
import type { ChatTemplate, Message } from "../chat/index.ts";
import { familyOf, inFamily } from "./families.ts";
import { findCalls } from "./find-calls.ts";
import { findReasoning, findSwitch } from "./find-reasoning.ts";
import type { CallFormat, ReasoningFormat } from "./output-format.ts";
import { answerText, calling, callTexts, question, rendered, resultText, tool } from "./probe.ts";

/** Most templates read `tools`; SmolLM3's has a variable of its own, and Phi-4-mini's reads a text that its system message holds. */
export type ToolsPlace = "tools" | "xml_tools" | "system message";

/** What is known of a template. */
export interface TemplateFacts {
  /** Undefined where the model does not mark its reasoning. */
  readonly reasoning: ReasoningFormat | undefined;
  /** The variable by which the template turns reasoning on and off. */
  readonly reasoningSwitch: string | undefined;
  /** Where the template looks for tools that it tells the model of. */
  readonly toolsIn: ToolsPlace | undefined;
  /** Whether it writes the calls of earlier messages. */
  readonly showsCalls: boolean;
  /** Whether it writes the results of tools. */
  readonly showsResults: boolean;
  readonly knowsSystem: boolean;
  readonly knowsDeveloper: boolean;
  /** Whether ids of calls must have nine letters and digits. */
  readonly wantsShortIds: boolean;
  /** Undefined where neither the template nor a family tells it. */
  readonly calls: CallFormat | undefined;
}

const known = new WeakMap<ChatTemplate, TemplateFacts>();

/** Kept by the template: finding out renders some twenty short chats. */
export function factsOf(template: ChatTemplate): TemplateFacts {
  const facts = known.get(template) ?? findFacts(template);
  known.set(template, facts);
  return facts;
}

function findFacts(template: ChatTemplate): TemplateFacts {
  const reasoning = findReasoning(template);
  const found = findCalls(template, reasoning);
  const toolsIn = findToolsPlace(template);
  const results = (id: string): readonly Message[] => [
    question,
    calling([1], () => id),
    { role: "tool", content: resultText, tool_call_id: id, name: callTexts(1).name },
  ];
  const showsResults = shows(template, results(callTexts(1).id), resultText);
  return {
    ...{ reasoning, toolsIn, showsResults },
    reasoningSwitch: findSwitch(template),
    showsCalls: shows(template, [question, calling([1])], callTexts(1).firstValue),
    knowsSystem: shows(template, [{ role: "system", content: answerText }, question], answerText),
    knowsDeveloper: shows(template, [{ role: "developer", content: answerText }, question], answerText),
    wantsShortIds: showsResults && !shows(template, results("call_cria_probe_0001"), resultText),
    calls: found === undefined ? (toolsIn !== undefined ? familyOf(template.source) : undefined) : inFamily(found, template.source),
  };
}

function findToolsPlace(template: ChatTemplate): ToolsPlace | undefined {
  const { name } = tool.function;
  if (shows(template, [question], name)) return "tools";
  const variables = { xml_tools: [tool.function] };
  if (rendered(template, [question], { addGenerationPrompt: true, variables })?.includes(name)) return "xml_tools";
  const system: Message = { role: "system", content: answerText, tools: JSON.stringify([tool.function]) };
  return shows(template, [system, question], name) ? "system message" : undefined;
}

/** Whether a text is in a rendered chat, with tools or, where the template wants none, without. */
function shows(template: ChatTemplate, messages: readonly Message[], text: string): boolean {
  const options = { addGenerationPrompt: messages.at(-1)?.role === "user" };
  const chat = rendered(template, messages, { ...options, tools: [tool] }) ?? rendered(template, messages, options);
  return chat?.includes(text) ?? false;
}
