// Whether a template's model reasons before it answers, how that is marked, and what turns it on and off.
import type { ChatTemplate } from "../chat/index.ts";
import { behindSpace, withoutLastSpace } from "./literal.ts";
import type { ReasoningFormat } from "./output-format.ts";
import { answerText, question, rendered, thought } from "./probe.ts";

/** The marks that a template writes around a reasoning, or else those that it looks for in an earlier message. */
export function findReasoning(template: ChatTemplate): ReasoningFormat | undefined {
  const text = rendered(template, [question, { role: "assistant", content: answerText, reasoning_content: thought }]);
  const at = text?.indexOf(thought) ?? -1;
  const end = text?.indexOf(answerText, at) ?? -1;
  if (text !== undefined && at >= 0 && end >= 0) {
    const open = lastMark(text.slice(0, at));
    const close = firstMark(text.slice(at + thought.length, end));
    if (open !== undefined && close !== undefined) return { open, close };
  }
  const prompt = rendered(template, [question], { addGenerationPrompt: true })?.trimEnd();
  return usualMarks.find(({ open, close }) => template.source.includes(close) || prompt?.endsWith(open));
}

/** DeepSeek's, which most have, Mistral's and Cohere's. */
const usualMarks: readonly ReasoningFormat[] = [
  { open: "<think>", close: "</think>" },
  { open: "[THINK]", close: "[/THINK]" },
  { open: "<|START_THINKING|>", close: "<|END_THINKING|>" },
];

const mark = /<[^<>\s]+>|\[[^[\]\s]+\]/g;

/** The mark at the end of a text, white space left out. */
function lastMark(text: string): string | undefined {
  const end = withoutLastSpace(text);
  const last = [...text.slice(0, end).matchAll(mark)].at(-1);
  return last !== undefined && last.index + last[0].length === end ? last[0] : undefined;
}

/** The mark at the beginning of a text, white space left out. */
function firstMark(text: string): string | undefined {
  const [first] = text.matchAll(mark);
  return first !== undefined && behindSpace(text, 0) === first.index ? first[0] : undefined;
}

/** The names that templates have for it. */
const switches = ["enable_thinking", "thinking"];

/** The variable that turns reasoning on and off: one whose two values make two prompts. */
export function findSwitch(template: ChatTemplate): string | undefined {
  const prompt = (name: string, value: boolean) =>
    rendered(template, [question], { addGenerationPrompt: true, variables: { [name]: value } });
  return switches.find((name) => {
    const [on, off] = [prompt(name, true), prompt(name, false)];
    return on !== undefined && off !== undefined && on !== off;
  });
}

/** Where a prompt leaves the model: inside of its reasoning, behind it, or where it may begin with it. */
export function startOf(prompt: string, { open, close }: ReasoningFormat): "reasoning" | "content" | "either" {
  const end = prompt.slice(0, withoutLastSpace(prompt));
  return end.endsWith(open) ? "reasoning" : end.endsWith(close) ? "content" : "either";
}
