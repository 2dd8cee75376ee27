// The grammar that a text must keep to: compiled already, in GBNF, or a JSON schema. The last few are kept, with the masks that they have worked out.
import { check } from "../base/index.ts";
import { Grammar, gbnfGrammar, jsonSchemaGrammar, type Whitespace } from "../grammar/index.ts";

/** What a text must be; at most one of `grammar` and `jsonSchema`. */
export interface GrammarOptions {
  /**
   * The text is one of this grammar's, unless it is cut by its length or gets stuck ({@link FinishReason}): GBNF, or a compiled grammar. Not together with
   * stop strings, which would cut it off.
   */
  readonly grammar?: string | Grammar;
  /** The text is an instance of this JSON schema, in the same way: {@link jsonSchemaGrammar} says which keywords and which texts. */
  readonly jsonSchema?: boolean | object;
  /** White space in an instance of `jsonSchema`. @default "space" */
  readonly whitespace?: Whitespace;
}

/** Compiled grammars that are kept. */
const mostRecent = 16;

/** Compiled grammars by what they were compiled from, the last used one last. */
const recent = new Map<string, Grammar>();

/** @throws CriaError naming the place of what a grammar or a schema gets wrong, or options that do not go together */
export function grammarOf({ grammar, jsonSchema, whitespace }: GrammarOptions, stop: readonly string[] = []): Grammar | undefined {
  check(grammar === undefined || jsonSchema === undefined, "infer", () => "grammar and jsonSchema are given: a text keeps to one of them");
  check(
    whitespace === undefined || jsonSchema !== undefined,
    "infer",
    () => "whitespace is given, which is for jsonSchema: give a schema, or omit it",
  );
  if (grammar === undefined && jsonSchema === undefined) return undefined;
  check(
    stop.length === 0,
    "infer",
    () => "stop strings would cut a text off that is not complete by its grammar: omit stop, or the grammar",
  );
  if (grammar instanceof Grammar) return grammar;
  if (grammar !== undefined) return kept(`gbnf ${grammar}`, () => gbnfGrammar(grammar));
  return kept(`json ${whitespace} ${JSON.stringify(jsonSchema)}`, () => jsonSchemaGrammar(jsonSchema, { whitespace }));
}

function kept(key: string, compile: () => Grammar): Grammar {
  const grammar = recent.get(key) ?? compile();
  recent.delete(key);
  recent.set(key, grammar);
  for (const oldest of recent.keys()) if (recent.size > mostRecent) recent.delete(oldest);
  return grammar;
}
