// What a chat model's next message may be, and what it means: a grammar to draw it by, a parser to read it with, and the messages of before in the
// words of its template.
import { check } from "../base/index.ts";
import type { ChatTemplate, Message } from "../chat/index.ts";
import type { Grammar } from "../grammar/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import { type ArgumentsReader, type CallReading, JsonArguments } from "./call-reader.ts";
import { hermes } from "./families.ts";
import { startOf } from "./find-reasoning.ts";
import type { CallFormat } from "./output-format.ts";
import { type DialogueParser, MessageParser } from "./parser.ts";
import { question, rendered } from "./probe.ts";
import { checkConstrained, checkTools, chosenTools, type DialogueRequest, describedTools, parametersOf, type Tool } from "./request.ts";
import { type GrammarParts, responseGrammar } from "./response-grammar.ts";
import { taggedReaders } from "./tagged-arguments.ts";
import { factsOf, type TemplateFacts } from "./template-facts.ts";
import { type MessageRules, templateMessages } from "./template-messages.ts";

/** How a conversation goes on. */
export interface Dialogue {
  /** What the message keeps to; undefined where any text will do. Equal requests have the same one, which remembers what it has worked out. */
  readonly grammar: Grammar | undefined;
  /** What the template is given as tools. */
  readonly tools: readonly object[] | undefined;
  /** What the template is given beside messages and tools. */
  readonly variables: Readonly<Record<string, unknown>>;
  /** What the template is given of a conversation. @throws CriaError where it has no words for a message */
  messages(messages: readonly Message[]): readonly Message[];
  /** A parser of one message. @param stop strings that end it where its content has them */
  parser(stop?: readonly string[]): DialogueParser;
  /** Special tokens that the message's marks are spelt with: they must be shown in the text that the parser reads, and allowed beside the grammar. */
  markIds(tokenizer: Tokenizer): readonly number[];
}

const where = "dialogue";

/**
 * What follows from a template and a request.
 * @throws CriaError naming what the template's model cannot do or the grammar not hold: a template that knows no tools, a schema that is not
 * supported or has no instance, reasoning that cannot be turned on or off
 */
export function dialogueFor(request: DialogueRequest): Dialogue {
  const { template, tools = [], toolChoice = "auto", constrain = true, preamble = false } = request;
  checkTools(tools);
  checkConstrained(request);
  const facts = factsOf(template);
  const isForeign = tools.length > 0 && facts.toolsIn === undefined;
  const callable = chosenTools(tools, toolChoice);
  const calls = tools.length === 0 ? undefined : callsOf(request, facts);
  const offer = offerOf(toolChoice === "none" ? [] : tools, facts);
  const variables = { ...variablesOf(request, facts), ...offer.variables };
  const start = startIn(template, facts, { tools: offer.tools, variables });
  const parts: GrammarParts = {
    ...{ reasoning: facts.reasoning, start, calls, tools: callable, names: tools.map((tool) => tool.function.name) },
    ...{ mustCall: toolChoice !== "auto" && toolChoice !== "none", parallel: request.parallel ?? true },
    responseFormat: request.responseFormat ?? { type: "text" },
  };
  const grammar = constrain ? keptGrammar(template, parts) : undefined;
  const reading = calls === undefined || callable.length === 0 ? undefined : readingOf(calls, callable, request, facts);
  // Calls of earlier turns are told in the form that a preamble would ask for, whether tools are offered now or not.
  const earlier = calls ?? facts.calls ?? (preamble ? hermes : undefined);
  return {
    ...{ grammar, variables, tools: offer.tools },
    messages: (messages) => templateMessages(messages, { ...offer, facts, isForeign, calls: earlier }),
    parser: (stop = []) => new MessageParser({ reasoning: facts.reasoning, start, calls: reading, isSure: grammar !== undefined, stop }),
    markIds: (tokenizer) => markIds(tokenizer, facts, calls),
  };
}

function callsOf({ template, preamble = false }: DialogueRequest, facts: TemplateFacts): CallFormat {
  if (facts.toolsIn !== undefined) {
    check(
      facts.calls !== undefined,
      where,
      () =>
        `${template.name} describes tools to its model, but not in which form the model calls them, and it is of no family that cria knows: omit tools`,
    );
    return facts.calls;
  }
  check(
    preamble,
    where,
    () => `${template.name} knows no tools: omit tools, or ask for a preamble, which describes them in a system message`,
  );
  return hermes;
}

/** How a template is given tools. */
interface Offer extends Pick<MessageRules, "preamble" | "systemTools"> {
  readonly tools: readonly object[] | undefined;
  readonly variables: Readonly<Record<string, unknown>>;
}

function offerOf(tools: readonly Tool[], { toolsIn }: TemplateFacts): Offer {
  const none: Offer = { tools: undefined, variables: {}, preamble: [], systemTools: [] };
  if (tools.length === 0) return none;
  const described = describedTools(tools);
  switch (toolsIn) {
    case "tools":
      return { ...none, tools: described };
    case "xml_tools":
      return { ...none, variables: { xml_tools: described.map((tool) => tool.function) } };
    case "system message":
      return { ...none, systemTools: tools };
    default:
      return { ...none, preamble: tools };
  }
}

function variablesOf({ template, reasoning, variables = {} }: DialogueRequest, facts: TemplateFacts): Readonly<Record<string, unknown>> {
  if (reasoning === undefined) return variables;
  check(reasoning !== true || facts.reasoning !== undefined, where, () => `${template.name} knows no reasoning: omit the wish for it`);
  if (facts.reasoningSwitch !== undefined) return { ...variables, [facts.reasoningSwitch]: reasoning };
  check(
    reasoning || facts.reasoning === undefined,
    where,
    () => `${template.name} has nothing that turns reasoning off: omit the wish for none`,
  );
  return variables;
}

/** Where the prompt leaves the model, found by a short chat; where the template refuses that one, the model may do either. */
function startIn(
  template: ChatTemplate,
  { reasoning }: TemplateFacts,
  given: { readonly tools: readonly object[] | undefined; readonly variables: Readonly<Record<string, unknown>> },
): GrammarParts["start"] {
  if (reasoning === undefined) return "content";
  const prompt = rendered(template, [question], { ...given, addGenerationPrompt: true });
  return prompt === undefined ? "either" : startOf(prompt, reasoning);
}

function readingOf(format: CallFormat, tools: readonly Tool[], { newId }: DialogueRequest, facts: TemplateFacts): CallReading {
  const { tags } = format;
  const readers = new Map<string, () => ArgumentsReader>(
    tools.map(({ function: { name, parameters } }) => [
      name,
      tags === undefined ? () => new JsonArguments() : taggedReaders(parametersOf(parameters), tags),
    ]),
  );
  return { format, argumentsOf: (tool) => readers.get(tool)?.(), newId: newId ?? (() => randomId(facts.wantsShortIds)) };
}

const idCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

function randomId(isShort: boolean): string {
  const numbers = crypto.getRandomValues(new Uint32Array(isShort ? 9 : 24));
  return (isShort ? "" : "call_") + Array.from(numbers, (number) => idCharacters[number % idCharacters.length]).join("");
}

/** Grammars of a template that are kept. */
const mostKept = 32;
const kept = new WeakMap<ChatTemplate, Map<string, { readonly grammar: Grammar | undefined }>>();

function keptGrammar(template: ChatTemplate, parts: GrammarParts): Grammar | undefined {
  const known = kept.get(template) ?? new Map();
  kept.set(template, known);
  const key = JSON.stringify(parts);
  const found = known.get(key) ?? { grammar: responseGrammar(parts) };
  known.delete(key);
  known.set(key, found);
  for (const oldest of known.keys()) if (known.size > mostKept) known.delete(oldest);
  return found.grammar;
}

/** The special tokens in the texts of the forms. */
function markIds(tokenizer: Tokenizer, { reasoning }: TemplateFacts, calls: CallFormat | undefined): readonly number[] {
  const { before = "", within = [], between = "", after = "", prefix = "" } = calls ?? {};
  const marks = [reasoning?.open ?? "", reasoning?.close ?? "", before, ...within, between, after, prefix];
  const ids = marks.flatMap((mark) => [...tokenizer.encode(mark, { parseSpecial: true })]).filter((id) => tokenizer.isSpecial(id));
  return [...new Set(ids)].filter((id) => id !== tokenizer.unkId);
}
