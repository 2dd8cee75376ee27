// The flags that hold a text to a grammar or a JSON schema, and the one way in which they are read.
import { parseJson, UsageError } from "../base/index.ts";
import { readTextFile } from "../files/index.ts";
import { type Grammar, gbnfGrammar, jsonSchemaGrammar, whitespaces } from "../grammar/index.ts";
import type { FlagRow, Flags } from "./command.ts";
import { stringFlag } from "./flag-values.ts";

/** Flags of commands that write texts. */
export const grammarFlags: readonly FlagRow[] = [
  {
    name: "json-schema",
    type: "string",
    value: "FILE|TEXT",
    help: "the text is JSON that is valid by this schema, unless it is cut at its length: a file, or the schema itself",
  },
  {
    name: "grammar",
    type: "string",
    value: "FILE|TEXT",
    help: "the text is one of this grammar's in GBNF, unless it is cut at its length: a file, or the grammar itself",
  },
  {
    name: "whitespace",
    type: "string",
    value: whitespaces.join("|"),
    help: "white space in the JSON of --json-schema: at most one space behind commas and colons (default), none, or lines with indents too",
  },
];

/** The grammar that the flags ask for. @throws CriaError naming the place of what it gets wrong, before a model is loaded */
export async function readGrammar(where: string, flags: Flags): Promise<Grammar | undefined> {
  const [schema, grammar, whitespace] = [stringFlag(flags, "json-schema"), stringFlag(flags, "grammar"), stringFlag(flags, "whitespace")];
  const chosen = whitespaces.find((name) => name === whitespace);
  if (schema !== undefined && grammar !== undefined)
    throw new UsageError(where, "--json-schema and --grammar are given: a text keeps to one of them");
  if (whitespace !== undefined && chosen === undefined)
    throw new UsageError(where, `--whitespace is "${whitespace}" but must be ${whitespaces.join(", ")}`);
  if (whitespace !== undefined && schema === undefined) throw new UsageError(where, "--whitespace is for --json-schema: give a schema too");
  if ((schema ?? grammar) !== undefined && Array.isArray(flags.stop) && flags.stop.length > 0)
    throw new UsageError(
      where,
      `--stop would cut a text off that is not complete: omit it, or --${schema === undefined ? "grammar" : "json-schema"}`,
    );
  if (grammar !== undefined) return gbnfGrammar(grammar.includes("::=") ? grammar : await readTextFile(grammar, where));
  if (schema === undefined) return undefined;
  const isText = /^\s*(?:\{|true\s*$|false\s*$)/.test(schema);
  const text = isText ? schema : await readTextFile(schema, where);
  return jsonSchemaGrammar(
    parseJson(where, isText ? "--json-schema" : `${schema}: its text`, text.replace(/^\ufeff/, ""), "correct it there"),
    {
      whitespace: chosen,
    },
  );
}
