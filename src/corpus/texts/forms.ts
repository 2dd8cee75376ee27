// The forms that texts come in, one row per form: which endings have it, which keys apply to it, how it is read. A further form is a further row.
import { fail } from "../../base/index.ts";
import type { ByteRange } from "../../files/index.ts";
import type { ArchiveKind } from "./archives/archive.ts";
import type { Bytes } from "./explain-encoding.ts";
import { readJsonLines } from "./json-lines.ts";
import { readJson } from "./json-records.ts";
import { readPlain } from "./plain-text.ts";
import { readWikipedia } from "./wikipedia.ts";

/** The names of all forms. */
export const formNames = [
  "text",
  "jsonl",
  "json",
  "csv",
  "tsv",
  "parquet",
  "html",
  "epub",
  "warc",
  "wikipedia",
  "stackexchange",
  "latex",
  "code",
  "archive",
] as const;
/** The name of a form. */
export type FormName = (typeof formNames)[number];

/** What of a page may be asked for. */
export const pageContents = ["main", "whole"] as const;
/** What of a page is asked for. */
export type PageContent = (typeof pageContents)[number];

/** What a person may say of texts: keys of a recipe's source, flags of commands. */
export interface TextOptions {
  /** How the files are read, whatever their names end in. Undefined goes by the ending, and where it is unknown by the content. */
  readonly format?: FormName | undefined;
  /** The key of JSON records or the column of tables that holds the text; "text" when undefined. */
  readonly field?: string | undefined;
  /** What stands between the documents of one text file, literally, or "blank-lines"; a file is one document when undefined. */
  readonly separator?: string | undefined;
  /** What of a page of HTML is its text: "main" (when undefined) is its main content, where there is some, "whole" all but menus and the like. */
  readonly content?: PageContent | undefined;
  /** "lf" (when undefined) makes CRLF and lone CR into LF, "keep" leaves them. */
  readonly newlines?: "lf" | "keep" | undefined;
}

/** The keys that only some forms have. */
export const formKeys = ["field", "separator", "content"] as const;
/** A key that only some forms have. */
export type FormKey = (typeof formKeys)[number];

/** What a file says of a document beside its text, such as its title or address. */
export type TextFacts = Readonly<Record<string, string | number | undefined>>;

/** A document and what its file says of it. */
export interface TextDocument {
  readonly text: string;
  readonly facts: TextFacts;
}

/** The kinds of notes. */
export const noteKinds = ["damaged", "left out", "converted", "read whole"] as const;

/** What a reader did with a part of a file that is no document as it stands. */
export interface ReadingNote {
  /**
   * Damaged data is passed over, what is no text by the form's rules is left out, what is in another encoding is converted, and a page without main
   * content is read whole.
   */
  readonly kind: (typeof noteKinds)[number];
  /** What it was, the same words each time, so that notes can be counted. */
  readonly what: string;
  /** Where it was, for a message. */
  readonly place: string;
}

/** A file's unpacked bytes, and how to read them. */
export interface FormInput extends Bytes {
  readonly where: string;
  readonly options: TextOptions;
  /** The archive that the bytes are, for forms that are given archives as they stand. */
  readonly archive?: ArchiveKind | undefined;
  /** Where the bytes lie as they are; undefined for a stretch of a file, and for what is packed or in an archive. */
  readonly path: string | undefined;
  /** The folder that the file was found in; undefined for a member of an archive. */
  readonly root?: string | undefined;
  /** Is told what was not read, or not as it stands. May throw. */
  readonly note: (note: ReadingNote) => void;
  /** Whether notes are counted: where they are not, what is in another encoding is refused. */
  readonly isCounted: boolean;
  /** The bytes of the file in which the groups of rows begin that are read, where the form is cut at these; all when undefined. */
  readonly groups?: ByteRange | undefined;
  /** Is told how many bytes of the file were read, by forms that read it in any order. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
  /** The bytes as a file that is read in any order, a temporary one where they lie in none; to be disposed of. */
  file(): Promise<InputFile>;
}

/** A file for as long as it is not disposed of. */
export interface InputFile extends AsyncDisposable {
  readonly path: string;
}

/** A form that texts come in, and how documents are read from it. */
export interface TextForm {
  readonly name: FormName;
  /** What file names of this form end in, in lower case, in front of .gz, .zst, .zstd, .bz2 and .lz4. */
  readonly endings: readonly string[];
  readonly keys: readonly FormKey[];
  /** How help describes it. */
  readonly summary: string;
  /** Whether `read` is given gzip data as it stands, because it can go on behind a damaged member. */
  readonly unpacksGzip?: boolean;
  /** Whether `read` is given archives as they stand. */
  readonly readsArchives?: boolean;
  /** Whether a file may be cut at line ends, to be read in parts: the documents are the same then, or parts of them. */
  cutsAtLines(options: TextOptions): boolean;
  /** Whether a file may be cut at groups of rows, to be read in parts. */
  readonly cutsAtGroups?: boolean;
  /** Whether a file in gzip may be cut at members that begin with a record, to be read in parts. */
  readonly cutsAtMembers?: boolean;
  /** The documents in order, those of white space alone included; texts alone where the form says nothing else of them. Memory: one document. */
  read(input: FormInput): AsyncGenerator<string | TextDocument>;
}

const never = () => false;

/** All forms. */
export const textForms: readonly TextForm[] = [
  {
    name: "text",
    endings: [".txt", ".text", ".md", ".markdown", ".tex"],
    keys: ["separator"],
    summary: "a file is one document, or several with a separator",
    cutsAtLines: ({ separator }) => separator === undefined,
    read: readPlain,
  },
  {
    name: "jsonl",
    endings: [".jsonl", ".ndjson"],
    keys: ["field"],
    summary: "one JSON object per line, each a document",
    cutsAtLines: () => true,
    read: readJsonLines,
  },
  {
    name: "json",
    endings: [".json"],
    keys: ["field"],
    summary: "a list of JSON objects, or objects one after another",
    cutsAtLines: never,
    read: readJson,
  },
  {
    name: "csv",
    endings: [".csv"],
    keys: ["field"],
    summary: "a table with a row of column names first, commas between cells",
    cutsAtLines: never,
    read: (input) => readTable(input, ","),
  },
  {
    name: "tsv",
    endings: [".tsv", ".tab"],
    keys: ["field"],
    summary: "the same with tabs",
    cutsAtLines: never,
    read: (input) => readTable(input, "\t"),
  },
  {
    name: "parquet",
    endings: [".parquet"],
    keys: ["field"],
    summary: "a table in columns, of which those with the text and what is told of it are read",
    cutsAtLines: never,
    cutsAtGroups: true,
    read: readParquet,
  },
  {
    name: "html",
    endings: [".html", ".htm", ".xhtml"],
    keys: ["content"],
    summary: "the main content of a page, or with content: whole all text of it, one document per file",
    cutsAtLines: never,
    read: readHtml,
  },
  {
    name: "epub",
    endings: [".epub"],
    keys: [],
    summary: "a book, one document, its chapters in reading order",
    readsArchives: true,
    cutsAtLines: never,
    read: readEpub,
  },
  {
    name: "warc",
    endings: [".warc", ".wet", ".arc"],
    keys: ["content"],
    summary: "a crawl (WARC, WET or ARC), one document per page, HTML as above",
    unpacksGzip: true,
    cutsAtLines: never,
    cutsAtMembers: true,
    read: readWarc,
  },
  {
    name: "wikipedia",
    endings: ["-pages-articles.xml", "-pages-articles-multistream.xml"],
    keys: [],
    summary: "a dump of a wiki, its articles as wikitext, which the step wikitext makes plain",
    cutsAtLines: never,
    read: readWikipedia,
  },
  {
    name: "stackexchange",
    endings: ["posts.xml"],
    keys: [],
    summary: "a dump of a Stack Exchange site, one document per question with its answers, best first",
    cutsAtLines: never,
    read: readStackExchange,
  },
  {
    name: "latex",
    endings: [],
    keys: [],
    summary:
      "sources in LaTeX, one document each: a main file with all that it names, or archives of them as arXiv has; the step latex cleans it",
    readsArchives: true,
    cutsAtLines: never,
    read: readLatex,
  },
  {
    name: "code",
    endings: [],
    keys: [],
    summary:
      "source code of folders and archives, one document per file, with its language and licence, which the steps codeLicence and codeOrigin ask for",
    readsArchives: true,
    cutsAtLines: never,
    read: readCode,
  },
  {
    name: "archive",
    endings: [".tar", ".tgz", ".tbz2", ".zip", ".7z"],
    keys: ["field", "separator", "content"],
    summary: "files packed together (tar, zip, 7z), each read by its own name, or all in the form that is asked for",
    cutsAtLines: never,
    read: refuseArchive,
  },
];

// Parsers of these forms are loaded when a file has one: loading them takes 40 ms, of every process that might read texts.

async function* readTable(input: FormInput, delimiter: string): AsyncGenerator<string> {
  const { readCsv } = await import("./csv.ts");
  yield* readCsv(input, delimiter);
}

async function* readHtml(input: FormInput): AsyncGenerator<string> {
  yield* (await import("./html/html.ts")).readHtml(input);
}

async function* readWarc(input: FormInput): AsyncGenerator<TextDocument> {
  yield* (await import("./warc/warc.ts")).readWarc(input);
}

async function* readStackExchange(input: FormInput): AsyncGenerator<TextDocument> {
  yield* (await import("./stack-exchange.ts")).readStackExchange(input);
}

async function* readParquet(input: FormInput): AsyncGenerator<TextDocument> {
  yield* (await import("./parquet.ts")).readParquet(input);
}

async function* readEpub(input: FormInput): AsyncGenerator<TextDocument> {
  yield* (await import("./epub.ts")).readEpub(input);
}

async function* readLatex(input: FormInput): AsyncGenerator<TextDocument> {
  yield* (await import("./latex/latex.ts")).readLatex(input);
}

async function* readCode(input: FormInput): AsyncGenerator<TextDocument> {
  yield* (await import("./code/code.ts")).readCode(input);
}

/** Archives are known by their content before a form is asked; what comes here is none. */
function refuseArchive({ name, where }: FormInput): never {
  return fail(where, `${name}: it begins as no archive that is read (tar, zip, 7z): it is damaged, or its name is wrong`);
}

/** What the names of packed files end in. */
export const packedName = /\.(gz|zst|zstd|bz2|lz4)$/i;

/** The form that a file's name ends in, behind what it is packed with; undefined for an ending of no form. */
export function formOfName(name: string): TextForm | undefined {
  const plain = name.toLowerCase().replace(packedName, "");
  return textForms.find(({ endings }) => endings.some((ending) => plain.endsWith(ending)));
}

/** The form of a name. */
export function formCalled(name: FormName): TextForm {
  return textForms.find((form) => form.name === name)!;
}
