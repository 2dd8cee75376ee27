// cria data try: one document's way through the steps of a recipe's source.
import { dirname } from "node:path";
import { fail, UsageError } from "../base/index.ts";
import { type FormKey, openTexts, readPart, type TextFile, type TextOptions } from "../corpus/index.ts";
import { readStream } from "../files/index.ts";
import { type CleanedSource, hasSteps, lineChanges, type TriedDocument, type TriedStep, tryDocument } from "../pipeline/index.ts";
import type { Command, CommandIo, Flags } from "./command.ts";
import { onlyArgument } from "./data-text.ts";
import { stringFlag, wholeFlag } from "./flag-values.ts";
import { readDataRecipe } from "./recipe-kinds.ts";
import { tellNotes, textFlags, textOptions } from "./text-flags.ts";

const where = "data try";

/** Shows what each step makes of a document. */
export const tryCommand: Command = {
  name: "try",
  summary: "one document's way through the steps of a recipe",
  usage: "RECIPE.yaml --file FILE|--url URL",
  flags: [
    {
      name: "file",
      type: "string",
      value: "FILE",
      help: "the file of the document, in any form, or the address of one to fetch; - reads it from stdin",
    },
    { name: "record", type: "number", value: "N", help: "which document of the file, from 1 (the first unless given)" },
    {
      name: "url",
      type: "string",
      value: "URL",
      help: "the document of this address in the source, whose files are read until it is found",
    },
    { name: "source", type: "string", value: "NAME", help: "the source whose steps are tried, where several have some" },
    ...textFlags.map((row) => ({ ...row, help: `with --file: ${row.help}` })),
  ],
  async run(args, flags, io) {
    const path = onlyArgument(args, where, "RECIPE.yaml");
    const isOfFile = stringFlag(flags, "file") !== undefined;
    if (isOfFile === (stringFlag(flags, "url") !== undefined)) throw new UsageError(where, "name a document by --file or by --url");
    const source = chosen((await readDataRecipe(path, where, io)).sources.filter(hasSteps), stringFlag(flags, "source"), path);
    const document = await (isOfFile ? inFile(source, flags, io) : inSource(source, dirname(path), flags, io));
    const tried = await tryDocument(source.steps, document, path, dirname(path));
    if (io.json) io.stdout(`${JSON.stringify({ source: source.name, facts: document.facts, steps: tried })}\n`);
    else tell(tried, document.text, io);
    return 0;
  },
};

function chosen(sources: readonly CleanedSource[], name: string | undefined, path: string): CleanedSource {
  const [source, other] = name === undefined ? sources : sources.filter((one) => one.name === name);
  const names = sources.map((one) => one.name).join(", ");
  if (source === undefined)
    throw new UsageError(
      where,
      sources.length === 0 ? `${path}: no source has steps` : `${path}: "${name}" is no source with steps: ${names} have some`,
    );
  if (other !== undefined) throw new UsageError(where, `${path}: several sources have steps: choose one of ${names} by --source`);
  return source;
}

/** A document of a file, which is read as the source's files are, unless flags say otherwise. */
async function inFile(source: CleanedSource, flags: Flags, io: CommandIo): Promise<TriedDocument> {
  const name = stringFlag(flags, "file") ?? "";
  const wanted = wholeFlag(flags, where, "record") ?? 1;
  const given = textOptions(flags, where);
  const stdin = readStream("-", { where, signal: io.signal });
  await using texts = await openTexts([name], { format: given.format ?? source.format }, { stdin, signal: io.signal, where });
  let count = 0;
  for (const file of texts.files)
    for await (const document of documentsOf(file, optionsFor(file, source, given), io)) if (++count === wanted) return document;
  return fail(where, `${name}: document ${wanted} is asked for, but it has ${count}`);
}

/** What is said of the source's files, as far as it applies to this one. */
function optionsFor({ form }: TextFile, source: CleanedSource, given: TextOptions): TextOptions {
  const option = <Key extends FormKey>(key: Key) => given[key] ?? (form.keys.includes(key) ? source[key] : undefined);
  return {
    field: option("field"),
    separator: option("separator"),
    content: option("content"),
    newlines: given.newlines ?? source.newlines,
  };
}

/** The first document of the source's files that is from an address. */
async function inSource(source: CleanedSource, folder: string, flags: Flags, io: CommandIo): Promise<TriedDocument> {
  const url = stringFlag(flags, "url") ?? "";
  const lone = ["record", ...textFlags.map(({ name }) => name)].find((name) => flags[name] !== undefined);
  if (lone !== undefined) throw new UsageError(where, `--${lone} is for a document of a --file`);
  const { paths, format, field, separator, content, newlines } = source;
  const options = { format, field, separator, content, newlines };
  await using texts = await openTexts([paths].flat(), options, { folder, signal: io.signal, where });
  let count = 0;
  for (const file of texts.files)
    for await (const document of documentsOf(file, options, io)) {
      if (document.facts?.url === url || file.label === url) return document;
      count++;
    }
  const all = count === 1 ? "the 1 document" : `the ${count} documents`;
  return fail(
    where,
    `none of ${all} of source "${source.name}" is from ${url}: a page that is not in it is fetched and tried by --file ${url}`,
  );
}

async function* documentsOf(file: TextFile, options: TextOptions, io: CommandIo): AsyncGenerator<TriedDocument> {
  let number = 0;
  const told = new Set<string>();
  const onNote = ({ kind, what, place }: { readonly kind: string; readonly what: string; readonly place: string }) => {
    if (kind !== "left out" && !told.has(what)) tellNotes([`${kind}: ${what} (${place})`], io);
    told.add(what);
  };
  for await (const { text, facts } of readPart(file, undefined, 0, options, { where, signal: io.signal, onNote }))
    yield { text, facts: { ...facts, id: `${file.label}#${number++}` } };
}

function tell(tried: readonly TriedStep[], text: string, io: CommandIo): void {
  let current = text;
  for (const step of tried) {
    io.stdout(`${step.step.padEnd(18)} ${said(step)}\n`);
    if (step.text === undefined) continue;
    if (step.did !== "cut") io.stdout(lineDifference(current, step.text));
    current = step.text;
  }
  io.stdout(
    tried.at(-1)?.did === "dropped" ? "the document goes\n" : `the document stays, ${current.length} of ${text.length} characters\n`,
  );
}

function said({ did, reason, because, measured, limit, needs, facts = {} }: TriedStep): string {
  if (needs !== undefined) return `${did}: ${measured === undefined ? "" : `this one's measure is ${round(measured)}, and it `}${needs}`;
  if (did === "cut") return `cut it into ${measured} documents, of which the first goes on`;
  if (did !== "dropped") return [did, ...Object.entries(facts).map(([name, value = ""]) => `${name} ${round(value)}`)].join(", ");
  const values = measured === undefined ? "" : ` (${round(measured)}${limit === undefined ? "" : `, the limit is ${round(limit)}`})`;
  return `dropped it, ${reason}: it ${because}${values}`;
}

function round(value: number | string): string {
  return typeof value === "number" ? String(Number(value.toPrecision(3))) : value;
}

const mostLines = 20;

/** Lines that went and lines that came. */
function lineDifference(before: string, after: string): string {
  const lines = lineChanges(before, after).flatMap(({ mark, line }) => (mark === " " ? [] : [`  ${mark} ${line}\n`]));
  const more = lines.length > mostLines ? `  … ${lines.length - mostLines} more lines\n` : "";
  return lines.slice(0, mostLines).join("") + more;
}
