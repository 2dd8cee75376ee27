// Short chats by which a template shows what it does. Their texts stand in no template.
import { CriaError } from "../base/index.ts";
import { type ChatTemplate, type Message, type RenderChatOptions, renderChat } from "../chat/index.ts";

/** What the user asks. */
export const questionText = "cria-probe-question";
/** The message with it. */
export const question: Message = { role: "user", content: questionText };
/** What the assistant says to it. */
export const answerText = "cria-probe-answer";
/** What it thought before. */
export const thought = "cria-probe-thought";
/** What a tool gave back. */
export const resultText = "cria-probe-result";
/** How the templates' end of text is spelt here. */
export const endOfText = "<|cria-probe-end|>";

/** A tool that is described. */
export const tool = {
  type: "function",
  function: {
    name: "cria_declared",
    description: "cria-probe-description",
    parameters: { type: "object", properties: { cria_given: { type: "string", description: "" } }, required: [] },
  },
} as const;

/** What stands in a call, by its number in the message. */
export function callTexts(number: number) {
  return {
    ...{ name: `cria_tool_${number}`, id: `callprob${number}` },
    ...{
      firstKey: `cria_first_${number}`,
      firstValue: `cria-one-${number}`,
      lastKey: `cria_last_${number}`,
      lastValue: `cria-two-${number}`,
    },
  };
}

/** A message with calls of these numbers. @param idOf makes ids of their own */
export function calling(numbers: readonly number[], idOf = (number: number) => callTexts(number).id): Message {
  const calls = numbers.map((number) => {
    const { name, firstKey, firstValue, lastKey, lastValue } = callTexts(number);
    return { id: idOf(number), type: "function" as const, function: { name, arguments: { [firstKey]: firstValue, [lastKey]: lastValue } } };
  });
  return { role: "assistant", content: null, tool_calls: calls };
}

/** A chat as text; undefined where the template refuses it. */
export function rendered(template: ChatTemplate, messages: readonly Message[], options: RenderChatOptions = {}): string | undefined {
  try {
    const specials = { bos_token: "", eos_token: endOfText };
    return renderChat(template, messages, { addGenerationPrompt: false, specials, now: new Date(0), ...options }).text;
  } catch (error) {
    if (error instanceof CriaError) return undefined;
    throw error;
  }
}
