// What a message may be, as a grammar: reasoning, then content in which calls cannot begin but as calls, or calls whose arguments keep to their
// schemas, or a text of JSON.
import { CriaError, check, fail } from "../base/index.ts";
import {
  type Expression,
  either,
  empty,
  type Grammar,
  GrammarComposer,
  optional,
  repeat,
  sequence,
  set,
  text,
  textWithout,
} from "../grammar/index.ts";
import { codePoints } from "../regex/index.ts";
import { closedSchema } from "./closed-schema.ts";
import { escaped, literalPattern, literalText, someSpace } from "./literal.ts";
import { beginsOf, type CallFormat, type ReasoningFormat } from "./output-format.ts";
import { parametersOf, type ResponseFormat, type Tool } from "./request.ts";
import { taggedText } from "./tagged-arguments.ts";

/** What a grammar is made of. */
export interface GrammarParts {
  readonly reasoning: ReasoningFormat | undefined;
  /** Where the prompt leaves the model. */
  readonly start: "reasoning" | "content" | "either";
  /** Undefined where the request has no tools. */
  readonly calls: CallFormat | undefined;
  /** The tools that may be called; none where the model may call none. */
  readonly tools: readonly Tool[];
  /** Names of all tools of the request. */
  readonly names: readonly string[];
  readonly mustCall: boolean;
  readonly parallel: boolean;
  readonly responseFormat: ResponseFormat;
}

const where = "dialogue";

/** Undefined where any text will do. @throws CriaError naming the tool or the format whose schema is not supported, and its place */
export function responseGrammar(parts: GrammarParts): Grammar | undefined {
  if (parts.calls === undefined && parts.responseFormat.type === "text") return undefined;
  const composer = new GrammarComposer();
  return composer.grammar(withReasoning(parts, messageBehindReasoning(parts, composer)));
}

function withReasoning({ reasoning, start }: GrammarParts, answer: Expression): Expression {
  if (reasoning === undefined || start === "content") return answer;
  const closed = sequence(textWithout(escaped(reasoning.close)), text(reasoning.close), someSpace, answer);
  return start === "reasoning" ? closed : either([answer, sequence(someSpace, text(reasoning.open), closed)]);
}

function messageBehindReasoning(parts: GrammarParts, composer: GrammarComposer): Expression {
  const { calls, tools, mustCall, responseFormat } = parts;
  const called = calls === undefined || tools.length === 0 ? undefined : callsText(parts, calls, composer);
  if (mustCall) return called === undefined ? fail(where, "a tool must be called, but there is none") : sequence(someSpace, called);
  if (responseFormat.type !== "text") {
    const formed = formatText(responseFormat, composer);
    check(
      called === undefined || calls?.marker !== undefined,
      where,
      () => "a response_format beside tools is not supported by this model's template, whose calls are JSON too: omit one of them",
    );
    return sequence(someSpace, called === undefined ? formed : either([formed, called]));
  }
  const free = textWithout(forbidden(parts));
  if (called === undefined) return free;
  return calls?.marker === undefined ? either([free, sequence(someSpace, called)]) : sequence(free, optional(called));
}

/** What stands nowhere in content, as a pattern: the marks of reasoning that may begin, and what calls begin with. */
function forbidden({ reasoning, start, calls, names }: GrammarParts): string {
  const patterns = reasoning !== undefined && start === "either" ? [escaped(reasoning.open)] : [];
  if (calls?.marker !== undefined) patterns.push(escaped(calls.marker));
  else if (calls !== undefined) {
    const { prefix, within } = calls;
    if (prefix !== undefined) patterns.push(escaped(prefix));
    const begins = beginsOf(calls).map(literalPattern).join("|");
    const called = names.map(escaped).join("|");
    patterns.push(`^[ \\t\\n\\r]*(?:${begins})(?:${called})${escaped(within[0]?.[0] ?? "")}`);
  }
  return patterns.join("|");
}

function callsText({ tools, parallel }: GrammarParts, format: CallFormat, composer: GrammarComposer): Expression {
  const call = either(tools.map((tool) => callText(tool, format, composer)));
  const { prefix, between, after } = format;
  const more = parallel && between !== undefined ? repeat(sequence(literalText(between), call), 0) : empty;
  const start = prefix === undefined ? empty : optional(sequence(text(prefix), someSpace));
  return sequence(start, either(beginsOf(format).map(literalText)), call, more, literalText(after));
}

const digitsAndLetters = set(
  codePoints([
    [0x30, 0x39],
    [0x41, 0x5a],
    [0x61, 0x7a],
  ]),
);

function callText(tool: Tool, { slots, within, tags }: CallFormat, composer: GrammarComposer): Expression {
  const { name, parameters } = tool.function;
  const schema = closedSchema({ ...parametersOf(parameters), type: "object" });
  const given = () => (tags === undefined ? composer.json(schema, `the parameters of ${name}`) : taggedText(schema, tags, composer));
  const parts = slots.map((slot, i) => {
    const one =
      slot === "name" ? text(name) : slot === "id" ? repeat(digitsAndLetters, 9, 9) : naming(`tools: the parameters of ${name}`, given);
    return sequence(i === 0 ? empty : literalText(within[i - 1] ?? ""), one);
  });
  return sequence(...parts);
}

function formatText(format: Exclude<ResponseFormat, { type: "text" }>, composer: GrammarComposer): Expression {
  const schema = format.type === "json_object" ? { type: "object" } : format.schema;
  return naming("response_format", () => composer.json(schema, "response_format"));
}

/** @throws CriaError that says which schema was not understood */
function naming<T>(what: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof CriaError) return fail(where, `${what}: ${error.message}`, { cause: error });
    throw error;
  }
}
