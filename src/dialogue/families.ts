// What templates of known families do not show by themselves: the form of calls that they describe to the model and never write, and texts that may
// stand in front of calls.
import type { CallFormat } from "./output-format.ts";

const begin = '{"name": "';
const toArguments = '", "arguments": ';

/** A list of calls in JSON behind a marker. @param close stands behind the list */
function listed(name: string, marker: string, close = ""): CallFormat {
  const form = { before: `${marker}[${begin}`, within: [toArguments], between: `}, ${begin}`, after: `}]${close}` };
  return { name, marker, slots: ["name", "arguments"], ...form };
}

/** The calls that a template describes in the words of Nous Research's Hermes, and those of a preamble of our own. */
export const hermes: CallFormat = {
  ...{ name: "hermes", marker: "<tool_call>", slots: ["name", "arguments"], within: [toArguments] },
  ...{ before: `<tool_call>\n${begin}`, between: `}\n</tool_call>\n<tool_call>\n${begin}`, after: "}\n</tool_call>" },
};

interface Family {
  /** Whether a template is one of the family. */
  readonly isOne: (source: string) => boolean;
  readonly calls: CallFormat;
}

/** One row per form; the first that fits counts. */
const families: readonly Family[] = [
  { isOne: (source) => /<\|\/tool(?:_call)?\|>/.test(source), calls: listed("phi-4-mini", "<|tool_call|>", "<|/tool_call|>") },
  { isOne: (source) => /<\|tool_call\|>|<\|start_of_role\|>available_tools/.test(source), calls: listed("granite-3", "<|tool_call|>") },
  { isOne: (source) => source.includes("[TOOL_CALLS]"), calls: listed("mistral", "[TOOL_CALLS]") },
  { isOne: (source) => source.includes("<tool_call>"), calls: hermes },
];

/** The form of calls of a template that writes none. */
export function familyOf(source: string): CallFormat | undefined {
  return families.find(({ isOne }) => isOne(source))?.calls;
}

/** Names of forms that templates show, by their marker. */
const names: Readonly<Record<string, string>> = {
  ...{ "<tool_call>": "hermes", "[TOOL_CALLS]": "mistral", "<|tool_call|>": "granite-3", "<｜tool▁calls▁begin｜>": "deepseek" },
  ...{ "functools[{": "firefunction", "<function=": "functionary-3.1", "<|START_ACTION|>": "command-r7b" },
};

/** A form with its family's name, and with what the family's models may write in front of calls. */
export function inFamily(found: CallFormat, source: string): CallFormat {
  if (found.marker !== undefined) {
    const name = found.tags === undefined ? names[found.marker] : "tagged";
    return { ...found, name: name ?? found.name };
  }
  const isLlama = /<\|python_tag\|>|ipython/.test(source);
  if (!isLlama) return found;
  // Llama 3.1 to 3.3 write a form, too, that their templates have only for tools.
  return { ...found, name: "llama-3", prefix: "<|python_tag|>", otherBegins: ['{"type": "function", "name": "'] };
}
