// The flags of every command that reads texts, and the one way in which they open them.
import { cutText, UsageError } from "../base/index.ts";
import { formNames, openTexts, pageContents, type TextForm, type TextOptions, type Texts, textForms } from "../corpus/texts/index.ts";
import { readStream } from "../files/index.ts";
import type { CommandIo, FlagRow, Flags } from "./command.ts";
import { oneOfFlag, stringFlag } from "./flag-values.ts";

const newlines = ["lf", "keep"] as const;

/** What a person may say of texts on the command line. */
export const textFlags: readonly FlagRow[] = [
  {
    name: "field",
    type: "string",
    value: "NAME",
    help: `the key or column that holds the text, in ${formsWith("field")} (text unless given)`,
  },
  {
    name: "separator",
    type: "string",
    help: `what stands between the documents of one file, or blank-lines, in ${formsWith("separator")} (a file is one document unless given)`,
  },
  {
    name: "format",
    type: "string",
    value: "FORM",
    help: `read every file in this form: ${formNames.join(", ")} (by the ending of each unless given, and by its content where the ending is unknown)`,
  },
  {
    name: "content",
    type: "string",
    value: pageContents.join("|"),
    help: `the main content of a page or all its text, in ${formsWith("content")} (main unless given)`,
  },
  { name: "newlines", type: "string", value: newlines.join("|"), help: "whether CRLF and lone CR become LF, or stay (lf unless given)" },
];

function formsWith(key: TextForm["keys"][number]): string {
  return textForms
    .filter(({ keys }) => keys.includes(key))
    .map(({ name }) => name)
    .join(", ");
}

/** @throws UsageError for a value that is none of those allowed */
export function textOptions(flags: Flags, where: string): TextOptions {
  const [field, separator] = [stringFlag(flags, "field"), stringFlag(flags, "separator")];
  return {
    field,
    separator,
    format: oneOfFlag(flags, where, "format", formNames),
    content: oneOfFlag(flags, where, "content", pageContents),
    newlines: oneOfFlag(flags, where, "newlines", newlines),
  };
}

/** The words that say on a command line how texts are read, as `flags` has it; "=" lets a value begin with "--". */
export function textWords(flags: Flags): string[] {
  return textFlags.flatMap(({ name }) => {
    const value = stringFlag(flags, name);
    if (value === undefined) return [];
    return value.startsWith("--") ? [`--${name}=${value}`] : [`--${name}`, value];
  });
}

/** {@link textOptions} of texts that may be left out, given by `--text`. @throws UsageError for flags that have none to apply to, too */
export function optionalTextOptions(flags: Flags, where: string, hasText: boolean): TextOptions {
  const lone = textFlags.find(({ name }) => flags[name] !== undefined);
  if (hasText || lone === undefined) return textOptions(flags, where);
  throw new UsageError(where, `--${lone.name} says how texts are read, but none is given: add --text FILE, or omit --${lone.name}`);
}

/** Opens texts and tells, on stderr, what was passed over. */
export async function openAndTell(paths: readonly string[], options: TextOptions, io: CommandIo, where: string): Promise<Texts> {
  const texts = await openTexts(paths, options, {
    stdin: readStream("-", { where, signal: io.signal }),
    signal: io.signal,
    progress: io.progress,
    where,
  });
  tellNotes(texts.notes, io);
  return texts;
}

/** Writes each note as a line on stderr. */
export function tellNotes(notes: readonly string[], io: Pick<CommandIo, "stderr">): void {
  for (const note of notes) io.stderr(`note: ${note}\n`);
}

/** UTF-16 units: a tokenizer should say how far it is, and be interrupted, within a long document, too. */
const longestPart = 1 << 20;

/** The documents, long ones in parts that end with a line where there are lines, with progress in bytes of the files. */
export async function* partsOf(texts: Texts, { signal, progress }: Pick<CommandIo, "signal" | "progress">): AsyncGenerator<string> {
  let done = 0;
  const task = texts.files.length === 1 ? `reading ${texts.files[0]!.name}` : `reading ${texts.files.length} files`;
  const onBytes = (bytes: number) => {
    done += bytes;
    progress({ task, done, total: texts.bytes, unit: "bytes" });
  };
  for await (const document of texts.documents({ signal, onBytes }))
    for (const part of cutText(document, longestPart)) {
      signal.throwIfAborted();
      yield part;
    }
}

/** How the paths of a command are read, to end its help. */
export const formsHelp: string = textForms
  .map(({ name, endings, summary }) => `${name.padEnd(13)} ${endings.join(" ") || "by name alone"}: ${summary}\n`)
  .join("");
