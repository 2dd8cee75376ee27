// A template of chats: read once, rendered often. Lexed here, parsed by @huggingface/jinja, run here.
import { parse } from "@huggingface/jinja";
import { CriaError, check, fail } from "../base/index.ts";
import { Budget } from "./budget.ts";
import { evaluate } from "./evaluate.ts";
import { globals, RaisedByTemplate } from "./functions.ts";
import { lex, normaliseLines } from "./lex.ts";
import type { Statement } from "./nodes.ts";
import { Scope } from "./scope.ts";
import type { Text } from "./text.ts";
import { TemplateSyntaxError, type Token } from "./token.ts";
import { TemplateError, type Value } from "./values.ts";

/** A parsed template of chats, which may be rendered any number of times. */
export interface ChatTemplate {
  /** Where the template stands, as messages tell it. */
  readonly name: string;
  readonly source: string;
  readonly body: readonly Statement[];
  /** Whether it marks what the assistant writes by `{% generation %}`. */
  readonly marksGeneration: boolean;
}

/** Characters of a template; the largest published ones have about 20,000. */
const longestTemplate = 1 << 20;
const where = "chat";

/**
 * Reads a template in Jinja's language, as transformers understands it: trim_blocks, lstrip_blocks, loop controls, `{% generation %}`,
 * `raise_exception`, `strftime_now` and a `tojson` without escapes for HTML.
 * @param name for messages
 * @throws CriaError with line and column where the template is not in that language, or in a part of it that is not supported
 */
export function parseChatTemplate(source: string, name = "the chat template"): ChatTemplate {
  check(
    source.length <= longestTemplate,
    where,
    () => `${name}: it has ${source.length} characters, but at most ${longestTemplate} are read: is it a template?`,
  );
  const lines = normaliseLines(source);
  let furthest: Token | undefined;
  try {
    const tokens = lex(lines);
    const watched = new Proxy(tokens, {
      get(target, key) {
        const value = Reflect.get(target, key);
        if (typeof key === "string" && /^\d+$/.test(key) && value !== undefined) furthest = value as Token;
        return value;
      },
    });
    // The parser's declaration names its own classes for tokens and nodes, which these are by their shape.
    const { body } = parse(watched as unknown as Parameters<typeof parse>[0]) as unknown as { readonly body: readonly Statement[] };
    return { name, source, body, marksGeneration: /\{%[-+]?\s*generation\b/.test(lines) };
  } catch (error) {
    const at = error instanceof TemplateSyntaxError ? error.at : (furthest?.at ?? 0);
    return fail(where, `${name}, ${place(lines, at)}: ${explain(error)}`, { cause: error });
  }
}

/** The parser runs past the last token where a block is not closed. */
function explain(error: unknown): string {
  if (error instanceof RangeError) return "it is nested too deeply";
  if (error instanceof TypeError) return "it ends inside a block or an expression: close it";
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/^Parser Error: /, "");
}

function place(source: string, at: number): string {
  const before = source.slice(0, at).split("\n");
  return `line ${before.length}, column ${before.at(-1)!.length + 1}`;
}

/** What a template is rendered with: values by name, and the time. */
export interface Variables {
  readonly values: ReadonlyMap<string, Value>;
  /** What `strftime_now` tells. */
  readonly now: Date;
  /** Characters that the values hold, by which the limit on texts grows. */
  readonly size: number;
}

/** @throws CriaError with the template's own sentence where it raises one, or with what it did wrong */
export function renderTemplate({ name, body }: ChatTemplate, { values, now, size }: Variables): Text {
  const budget = new Budget(size);
  const scope = new Scope();
  for (const [key, value] of [...globals(now, budget), ...values]) scope.set(key, value);
  try {
    return evaluate(body, new Scope(scope), budget);
  } catch (error) {
    if (error instanceof CriaError) throw error;
    if (error instanceof RaisedByTemplate) return fail(where, `${name} refuses these messages: ${error.message}`, { cause: error });
    if (error instanceof RangeError)
      return fail(where, `${name} calls itself too deeply, or its values are nested too deeply`, { cause: error });
    if (error instanceof TemplateError) return fail(where, `${name}: ${error.message}`, { cause: error });
    throw error;
  }
}
