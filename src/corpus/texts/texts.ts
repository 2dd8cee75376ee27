// The one reader of texts: paths to documents, whatever form the files have, any number of times in the same order.
import { stat } from "node:fs/promises";
import { dirname, relative, resolve, sep } from "node:path";
import { check, fail, type OnProgress } from "../../base/index.ts";
import { explainIo, inOrder, isStdin, readStream } from "../../files/index.ts";
import { copyPipe, type PipeCopy } from "./copy-pipe.ts";
import { expandPaths, type FoundFile } from "./expand-paths.ts";
import { formCalled, formKeys, formOfName, packedName, type TextDocument, type TextForm, type TextOptions, textForms } from "./forms.ts";
import { expandInstalled, isInstalledPath } from "./installed-paths.ts";
import { PassedOver } from "./passed-over.ts";
import { type DocumentsOptions, readTextDocuments } from "./read-file.ts";
import { fetchRemote, isRemote } from "./remote-paths.ts";
import { sniff } from "./sniff.ts";

const usual = "data";

/** How paths are opened, and who asks. */
export interface OpenOptions {
  /** The folder that relative paths start from; the working folder by default. */
  readonly folder?: string | undefined;
  /** What the path "-" reads; without it "-" is refused. */
  readonly stdin?: AsyncIterable<Uint8Array> | undefined;
  /** The part that asks, for `[where]`. @default "data" */
  readonly where?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Is told how far downloads of remote paths are. */
  readonly progress?: OnProgress | undefined;
}

/** A file of texts and its form. */
export interface TextFile {
  readonly path: string;
  /** What messages call it. */
  readonly name: string;
  /** What files that are written call it: its path from the folder that relative paths start from, its address, or npm:PACKAGE/PATH; the same wherever the program runs. */
  readonly label: string;
  readonly form: TextForm;
  /** The folder that a path or a pattern named and that it was found in; its own where it was named itself. */
  readonly root: string;
  /** Size on disk. */
  readonly bytes: number;
  /** What was a pipe is read from a copy that lasts no longer than this program. */
  readonly isPipe: boolean;
}

/**
 * Finds the files that paths name: files, folders, patterns, pipes, "-" for standard input, files of installed packages, and what is fetched: addresses and data sets of the hub. Files in a form of `textForms` by their name are
 * read so, others by their content. Standard input and pipes are copied to a temporary file until the texts are disposed of.
 * @throws CriaError when a path names nothing, a file that is named by itself is binary, or an option applies to none of the files
 */
export async function openTexts(paths: readonly string[], text: TextOptions = {}, options: OpenOptions = {}): Promise<Texts> {
  const texts = await open(paths, text, options);
  return checked([texts], text, options).then(([one]) => one!);
}

/** The same with a `Texts` for every path, so that each can have a weight of its own; an option must apply to one of all files. */
export async function openEach(paths: readonly string[], text: TextOptions = {}, options: OpenOptions = {}): Promise<readonly Texts[]> {
  const opened: Texts[] = [];
  try {
    for (const path of paths) opened.push(await open([path], text, options));
  } catch (error) {
    await disposeAll(opened);
    throw error;
  }
  return checked(opened, text, options);
}

async function checked(opened: readonly Texts[], text: TextOptions, { where = usual }: OpenOptions): Promise<readonly Texts[]> {
  try {
    const files = opened.flatMap((texts) => texts.files);
    checkKeys(files, text, where);
    return opened;
  } catch (error) {
    await disposeAll(opened);
    throw error;
  }
}

async function open(paths: readonly string[], text: TextOptions, options: OpenOptions): Promise<Texts> {
  const where = options.where ?? usual;
  const copies: PipeCopy[] = [];
  try {
    const passedOver = new PassedOver();
    const told: string[] = [];
    const found = await findFiles(paths, options, { where, passedOver, copies, told });
    const files: TextFile[] = [];
    const byContent: TextFile[] = [];
    for (const file of found) {
      const known = text.format === undefined ? formOfName(file.isPipe ? file.name : file.path) : formCalled(text.format);
      const form = known ?? (await formByContent(file, where, options, passedOver));
      if (form === undefined) continue;
      const one = { path: file.path, name: file.name, label: file.label, form, root: file.root, bytes: file.bytes, isPipe: file.isPipe };
      files.push(one);
      if (known === undefined && !(file.isPipe && form.name === "text")) byContent.push(one);
    }
    check(
      files.length > 0,
      where,
      () => `${paths.join(", ")}: there is no text to read${passedOver.inBrackets()}: name files that hold some`,
    );
    return new Texts({ files, text, where, notes: [...told, ...notes(passedOver, byContent)], copies });
  } catch (error) {
    await disposeAll(copies);
    throw error;
  }
}

type NamedFile = FoundFile & Pick<TextFile, "name" | "label">;

/** Who looks for files, and what is found beside them. */
interface Finding {
  readonly where: string;
  readonly passedOver: PassedOver;
  readonly copies: PipeCopy[];
  /** Sentences about what was fetched. */
  readonly told: string[];
}

async function findFiles(
  paths: readonly string[],
  { folder = process.cwd(), stdin, signal, progress }: OpenOptions,
  { where, passedOver, copies, told }: Finding,
): Promise<NamedFile[]> {
  const take = async (chunks: AsyncIterable<Uint8Array>, name: string): Promise<NamedFile> => {
    const copy = await copyPipe(chunks, where, signal);
    copies.push(copy);
    return { path: copy.path, root: dirname(copy.path), name, label: name, bytes: copy.bytes, isNamed: true, isPipe: true };
  };
  const found: NamedFile[] = [];
  const others = paths.filter((path) => !isStdin(path));
  if (others.length < paths.length) {
    if (stdin === undefined)
      return fail(where, "- and /dev/stdin stand for standard input, which only a command line can name: name a file here");
    found.push(await take(stdin, "standard input"));
  }
  const remote = others.filter(isRemote);
  for (const path of remote)
    for (const file of await fetchRemote(path, { where, signal, onProgress: progress, onNote: (note) => told.push(note) }))
      found.push({ ...file, label: file.name, bytes: (await stat(file.path)).size, isNamed: true, isPipe: false });
  for (const path of others.filter(isInstalledPath))
    for (const file of await expandInstalled(path, resolve(folder), where, passedOver)) found.push({ ...file, name: shortName(file.path) });
  const local = others.filter((path) => !isElsewhere(path));
  for (const file of await expandPaths(local, resolve(folder), where, passedOver)) {
    const name = shortName(file.path);
    const label = relative(resolve(folder), file.path).split(sep).join("/");
    found.push(file.isPipe ? await take(readStream(file.path, { where, signal }), name) : { ...file, name, label });
  }
  return found;
}

/** Whether a path means the same from every folder: it is on another machine, or in a package. */
export function isElsewhere(path: string): boolean {
  return isRemote(path) || isInstalledPath(path);
}

/** The path from the working folder, of what is below that; the whole path of anything else. */
function shortName(path: string): string {
  const short = relative(process.cwd(), path);
  return short === "" || short.startsWith("..") ? path : short;
}

/** Undefined for a binary file, which is passed over. @throws CriaError for one that is named by itself */
async function formByContent(
  file: NamedFile,
  where: string,
  { signal }: OpenOptions,
  passedOver: PassedOver,
): Promise<TextForm | undefined> {
  const kind = await sniff(file.path, file.name, { where, signal });
  if (kind !== "binary") return formCalled(kind);
  const endings = textForms.flatMap((form) => form.endings).join(" ");
  if (file.isNamed)
    fail(where, `${file.name}: it holds bytes that no text has: name a text (${endings}, each also with .gz, .zst, .bz2 or .lz4)`);
  passedOver.add("binary", file.name);
  return undefined;
}

/** A key must apply to one of the files at least. */
function checkKeys(files: readonly TextFile[], text: TextOptions, where: string): void {
  for (const key of formKeys) {
    if (text[key] === undefined || files.some(({ form }) => form.keys.includes(key))) continue;
    const having = textForms.filter((form) => form.keys.includes(key)).map(({ name }) => name);
    const [{ name, form }] = files as [TextFile];
    fail(
      where,
      `${key} is ${JSON.stringify(text[key])}, but ${name} is read as ${form.name}, which has none: ${key} is for ${having.join(", ")}`,
    );
  }
}

function notes(passedOver: PassedOver, byContent: readonly TextFile[]): string[] {
  const lines = passedOver.text === "" ? [] : [`passed over: ${passedOver.text}`];
  for (const form of textForms) {
    const files = byContent.filter((file) => file.form === form).map(({ name }) => name);
    const listed = `${files.slice(0, 3).join(", ")}${files.length > 3 ? `, … (${files.length} files)` : ""}`;
    if (files.length > 0) lines.push(`read as ${form.name} by content, not by name: ${listed}`);
  }
  return lines;
}

interface Opened {
  readonly files: readonly TextFile[];
  readonly text: TextOptions;
  readonly where: string;
  readonly notes: readonly string[];
  readonly copies: readonly PipeCopy[];
}

/** Bytes of text per byte of a packed file, about, for gzip and Zstandard at their usual levels. */
const usualPacking = 3;
/** Files that are packed inside. */
const packedInside = /\.(zip|7z|tgz|tbz2|parquet|epub)$/i;

/** Bytes of a file's text, about: packed text is taken for {@link usualPacking} times as long as its file. */
export function textBytesOf({ name, bytes }: Pick<TextFile, "name" | "bytes">): number {
  return (packedName.test(name) || packedInside.test(name) ? usualPacking : 1) * bytes;
}

/** A document and where it stands. */
export interface PlacedDocument extends TextDocument {
  /** Its file, and behind "#" its number in it, from 0: documents of white space alone are not counted. */
  readonly place: string;
}

/** Files that can be read as documents. Dispose of it to remove the copies of pipes. */
export class Texts implements AsyncDisposable {
  readonly files: readonly TextFile[];
  /** Bytes of the files on disk. */
  readonly bytes: number;
  /** Bytes of their text, about: packed text is taken for {@link usualPacking} times as long as its file. */
  readonly textBytes: number;
  /** Sentences for people: what was passed over, and what was read by its content. */
  readonly notes: readonly string[];
  /** How they are read. */
  readonly options: TextOptions;
  readonly #opened: Opened;

  constructor(opened: Opened) {
    this.#opened = opened;
    this.files = opened.files;
    this.options = opened.text;
    this.notes = opened.notes;
    this.bytes = opened.files.reduce((sum, { bytes }) => sum + bytes, 0);
    this.textBytes = opened.files.reduce((sum, file) => sum + textBytesOf(file), 0);
  }

  /** Some of the files, which last as long as all of them do. */
  slice(first: number, end: number): Texts {
    return new Texts({ ...this.#opened, files: this.files.slice(first, end), copies: [] });
  }

  /** The same files with their sizes as they are now, for those that were taken for others. */
  async measured(): Promise<Texts> {
    const sizeOf = ({ path }: TextFile) => stat(path).catch((error) => Promise.reject(explainIo(this.#opened.where, path, error)));
    const files: TextFile[] = [];
    for await (const { size } of inOrder(this.files.length, (i) => sizeOf(this.files[i]!)))
      files.push({ ...this.files[files.length]!, bytes: size });
    return new Texts({ ...this.#opened, files, copies: [] });
  }

  /**
   * The documents in the order of the files; those of white space alone are left out. Memory: one document.
   * @throws CriaError when a file cannot be read, is not UTF-8 or not of its form; the signal's reason when it aborts
   */
  async *documents(options: DocumentsOptions = {}): AsyncGenerator<string> {
    for await (const { text } of this.placedDocuments(options)) yield text;
  }

  /** The same with what their files say of them, and where each stands. */
  async *placedDocuments(options: DocumentsOptions = {}): AsyncGenerator<PlacedDocument> {
    for (const file of this.files) {
      let number = 0;
      for await (const document of readTextDocuments(file, this.options, { ...options, where: this.#opened.where }))
        yield { ...document, place: `${file.label}#${number++}` };
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return disposeAll(this.#opened.copies);
  }
}

async function disposeAll(things: readonly AsyncDisposable[]): Promise<void> {
  for (const thing of things) await thing[Symbol.asyncDispose]();
}
