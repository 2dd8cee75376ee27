// What a request asks of a chat model's output, checked: tools, whether one must be called, the form of the answer, reasoning.
import { check, didYouMean, fail, isObject } from "../base/index.ts";
import type { ChatTemplate } from "../chat/index.ts";

/** A tool as OpenAI's protocol describes it. */
export interface Tool {
  readonly type: "function";
  readonly function: {
    /** Letters, digits, `_`, `-`, `.`, `:` and `/`, at most 128. */
    readonly name: string;
    readonly description?: string | null | undefined;
    /** The JSON schema of the arguments, which are an object. @default an object without members */
    readonly parameters?: object | null | undefined;
    readonly strict?: boolean | null | undefined;
  };
}

/** Whether tools are called: as the model likes, never, one at least, or this one. */
export type ToolChoice = "auto" | "none" | "required" | { readonly name: string };

/** What an answer must be: any text, an object of JSON, or an instance of a JSON schema. */
export type ResponseFormat =
  | { readonly type: "text" }
  | { readonly type: "json_object" }
  | { readonly type: "json_schema"; readonly schema: boolean | object };

/** What a chat's next message may be. */
export interface DialogueRequest {
  readonly template: ChatTemplate;
  /** None by default. */
  readonly tools?: readonly Tool[] | undefined;
  /** @default "auto" */
  readonly toolChoice?: ToolChoice | undefined;
  /** Whether a message may call several tools, where the template has words for it. @default true */
  readonly parallel?: boolean | undefined;
  /** @default any text */
  readonly responseFormat?: ResponseFormat | undefined;
  /** Whether the model reasons before it answers. @default as its template has it */
  readonly reasoning?: boolean | undefined;
  /** What else the template reads, values of JSON. */
  readonly variables?: Readonly<Record<string, unknown>> | undefined;
  /** Tools of a template that knows none are described in a system message, and called in the form of Hermes. Such a template is refused by default. */
  readonly preamble?: boolean | undefined;
  /** Whether a grammar holds the model to its tools' schemas. Without one, what is no call of a tool comes as content. @default true */
  readonly constrain?: boolean | undefined;
  /** The id of a call. @default `call_` and 24 random letters and digits, or 9 of them where the template wants these */
  readonly newId?: (() => string) | undefined;
}

const where = "dialogue";

/** The names of tools in a model's text end where another character stands. */
export const nameCharacters = "A-Za-z0-9_.:/-";
const toolName = /^[A-Za-z0-9_.:/-]{1,128}$/;

/** @throws CriaError naming what is wrong with a tool, or two of one name */
export function checkTools(tools: unknown): asserts tools is readonly Tool[] {
  check(Array.isArray(tools), where, () => "tools must be a list of objects with type and function");
  const names = new Set<string>();
  for (const [i, tool] of (tools as readonly unknown[]).entries()) {
    const place = `tools[${i}]`;
    check(isObject(tool), where, () => `${place} must be an object with type and function`);
    check(tool.type === "function", where, () => `${place}.type is ${shown(tool.type)}: only "function" is supported`);
    check(isObject(tool.function), where, () => `${place}.function must be an object with a name`);
    const { name, description, parameters } = tool.function;
    check(
      typeof name === "string" && toolName.test(name),
      where,
      () => `${place}.function.name is ${shown(name)}, but must have 1 to 128 letters, digits, "_", "-", ".", ":" or "/"`,
    );
    check(!names.has(name), where, () => `${place}.function.name is ${shown(name)}, which another tool has: names must differ`);
    names.add(name);
    check(
      typeof (description ?? "") === "string",
      where,
      () => `${place}.function.description is ${shown(description)}, but must be a text`,
    );
    checkParameters(parameters ?? {}, `${place}.function.parameters`);
  }
}

function checkParameters(parameters: unknown, place: string): void {
  if (!isObject(parameters)) return fail(where, `${place} must be a JSON schema of an object`);
  const { type = "object" } = parameters;
  const isAnObject = type === "object" || (Array.isArray(type) && type.includes("object"));
  check(isAnObject, where, () => `${place}.type is ${shown(type)}, but arguments are an object`);
}

/** The tools that may be called. @throws CriaError for a choice that no tool fits */
export function chosenTools(tools: readonly Tool[], choice: ToolChoice): readonly Tool[] {
  if (choice === "none") return [];
  if (choice === "auto") return tools;
  check(tools.length > 0, where, () => `tool_choice is ${shown(choice)}, but there are no tools: give one at least`);
  if (choice === "required") return tools;
  if (!isObject(choice) || typeof choice.name !== "string")
    return fail(where, `tool_choice is ${shown(choice)}, but must be "auto", "none", "required" or the name of a tool`);
  const named = tools.filter((tool) => tool.function.name === choice.name);
  const names = tools.map((tool) => tool.function.name);
  check(
    named.length > 0,
    where,
    () =>
      `tool_choice names ${shown(choice.name)}, which is none of the tools${didYouMean(choice.name, names) || `: they are ${names.join(", ")}`}`,
  );
  return named;
}

/** @throws CriaError where no grammar shall hold the model to what only a grammar can */
export function checkConstrained({ constrain = true, toolChoice = "auto", responseFormat }: DialogueRequest): void {
  if (constrain) return;
  const isFree = toolChoice === "auto" || toolChoice === "none";
  check(
    isFree,
    where,
    () => `constrain is false and tool_choice ${shown(toolChoice)}: only a grammar makes a model call, omit one of them`,
  );
  const { type } = responseFormat ?? { type: "text" };
  check(type === "text", where, () => `constrain is false and response_format "${type}", which only a grammar keeps: omit one of them`);
}

/** A value in a message. */
export function shown(value: unknown): string {
  return JSON.stringify(value)?.slice(0, 100) ?? String(value);
}

/** Tools as templates read them: those of several families need a description and parameters, and none knows `strict`. */
export function describedTools(tools: readonly Tool[]) {
  return tools.map(({ function: { name, description, parameters } }) => ({
    type: "function" as const,
    function: { name, description: description ?? "", parameters: parametersOf(parameters) },
  }));
}

/** The schema of a tool's arguments. */
export function parametersOf(parameters: object | null | undefined): object {
  const schema = parameters ?? {};
  return Object.keys(schema).length === 0 ? { type: "object", properties: {} } : schema;
}
