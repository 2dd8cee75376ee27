// The demo's text: gathered from installed packages or from the files a person names, cleaned, cut into documents.
import { readdir, readFile, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { fail, type OnProgress } from "../../base/index.ts";
import { explainIo } from "../../files/index.ts";
import { openEach, type TextOptions as ReadingOptions, type Texts } from "../texts/index.ts";
import { cutDocuments } from "./cut-documents.ts";
import { findInstalled } from "./installed.ts";
import { isRepetitive } from "./repetition.ts";
import { type SourceKind, type SourceRow, sources } from "./sources.ts";

const usual = "demo";

/** One source of text, ready to be read, any number of times. */
export interface GatheredSource {
  readonly name: string;
  readonly kind: SourceKind | "text";
  readonly licence: string;
  /** `name@version`, or the path of a person's own file. */
  readonly package: string;
  /** Share of the training text; the weights of a corpus add up to 1. */
  readonly weight: number;
  /** Bytes of its files. */
  readonly bytes: number;
  /** Documents of at most 8,000 characters, in the same order every time. Throws the signal's reason when aborted. */
  readonly documents: AsyncIterable<string>;
}

/** Which of the packages' texts are gathered, and from where. */
export interface GatherOptions {
  /** The folder whose node_modules holds the packages: cria's own. */
  readonly root: string;
  /** Leaves out what is not installed, instead of throwing; the other weights keep their proportion. */
  readonly installedOnly?: boolean;
  /** The novels and stories alone. */
  readonly storiesOnly?: boolean;
  readonly progress?: OnProgress;
  readonly signal?: AbortSignal;
  /** Who asks, for messages. @default "demo" */
  readonly where?: string;
}

type TextOptions = Omit<GatherOptions, "root" | "installedOnly" | "storiesOnly">;

/** The corpus of sources.ts. @throws CriaError when a package is not installed, unless those may be left out. */
export async function gatherCorpus(options: GatherOptions): Promise<readonly GatheredSource[]> {
  const rows = options.storiesOnly ? [{ ...sources[0]!, weight: 1 }] : sources;
  const opened = await Promise.all(rows.map((row) => openSource(row, options)));
  return opened.filter((source) => source !== undefined);
}

/** A person's own texts in place of the demo's, a source per path, weighted by size. Dispose of them in the end. */
export interface OwnCorpus extends AsyncDisposable {
  readonly sources: readonly GatheredSource[];
  /** Sentences for people: what was passed over. */
  readonly notes: readonly string[];
}

/** How a person's own texts are read and cut. */
export interface OwnTextOptions extends TextOptions {
  /** How the texts are read. */
  readonly reading?: ReadingOptions;
  /** What the path "-" reads. */
  readonly stdin?: AsyncIterable<Uint8Array>;
}

/** @throws CriaError when a path names no text, or the files are empty */
export async function textCorpus(paths: readonly string[], options: OwnTextOptions = {}): Promise<OwnCorpus> {
  const { where = usual, reading = {}, stdin, signal } = options;
  const opened = await openEach(paths, reading, { where, stdin, signal });
  const close = async () => {
    for (const texts of opened) await texts[Symbol.asyncDispose]();
  };
  const total = opened.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total === 0) {
    await close();
    fail(where, `${paths.join(", ")}: there are 0 bytes: name files with text in them`);
  }
  const sources = opened.map((texts, i) => ownSource(paths[i]!, texts, texts.bytes / total, options)).filter(({ weight }) => weight > 0);
  return { sources, notes: opened.flatMap(({ notes }) => notes), [Symbol.asyncDispose]: close };
}

function ownSource(path: string, texts: Texts, weight: number, options: TextOptions): GatheredSource {
  const name = path === "-" ? "standard input" : path;
  const { bytes } = texts;
  return { name, kind: "text", licence: "your own", package: name, weight, bytes, documents: again(() => readTexts(name, texts, options)) };
}

async function openSource(row: SourceRow, options: GatherOptions): Promise<GatheredSource | undefined> {
  const installed = await findInstalled(options.root, row.package);
  if (installed === undefined && options.installedOnly) return undefined;
  if (installed === undefined)
    return fail(
      options.where ?? usual,
      `the text "${row.name}" comes from the package ${row.package}, which is not installed here: ` +
        `run "npm ci" in a checkout of cria, or give text of your own`,
      { ways: ["text"] },
    );
  const files = await filesOf(installed.folder, row, options);
  return {
    name: row.name,
    kind: row.kind,
    licence: row.licence ?? installed.licence,
    package: `${row.package}@${installed.version}`,
    weight: row.weight,
    bytes: (await Promise.all(files.map((file) => fileSize(join(installed.folder, ...file.split("/")), options)))).reduce(
      (a, b) => a + b,
      0,
    ),
    documents: again(() => readPackageFiles(row, installed.folder, files, options)),
  };
}

/** Paths with forward slashes, sorted by code unit: the same on every machine. */
async function filesOf(folder: string, row: SourceRow, { where = usual }: TextOptions): Promise<readonly string[]> {
  const all = await readdir(folder, { recursive: true }).catch((error: unknown) => Promise.reject(explainIo(where, folder, error)));
  const files = all
    .map((path) => path.replaceAll(sep, "/"))
    .filter((path) => row.files.test(path))
    .sort();
  if (files.length === 0) fail(where, `${folder} has none of the files of "${row.name}" (${row.files}): run "npm ci" to install it again`);
  return files;
}

async function* readPackageFiles(row: SourceRow, folder: string, files: readonly string[], options: GatherOptions): AsyncGenerator<string> {
  const { where = usual } = options;
  let seen = 0;
  for (const [i, file] of files.entries()) {
    options.signal?.throwIfAborted();
    const path = join(folder, ...file.split("/"));
    const bytes = await readFile(path).catch((error: unknown) => Promise.reject(explainIo(where, path, error)));
    const text = row.clean(decode(new TextDecoder(row.encoding ?? "utf-8", { fatal: true }), bytes, path, where));
    for (const document of cutDocuments(text)) if (!isRepetitive(document) && seen++ % (row.keepEvery ?? 1) === 0) yield document;
    options.progress?.({ task: `reading ${row.name}`, done: i + 1, total: files.length, unit: "files" });
  }
}

async function fileSize(path: string, { where = usual }: TextOptions): Promise<number> {
  const found = await stat(path).catch((error: unknown) => Promise.reject(explainIo(where, path, error)));
  return found.size;
}

async function* readTexts(name: string, texts: Texts, { signal, progress }: TextOptions): AsyncGenerator<string> {
  let done = 0;
  const onBytes = (bytes: number) => {
    done += bytes;
    progress?.({ task: `reading ${name}`, done, total: texts.bytes, unit: "bytes" });
  };
  for await (const document of texts.documents({ signal, onBytes })) yield* cutDocuments(document);
}

function decode(decoder: TextDecoder, bytes: Uint8Array, path: string, where: string): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    return fail(where, `${path}: it is not ${decoder.encoding}: run "npm ci" to install it again`, { cause });
  }
}

/** An iterable that starts over each time it is iterated. */
function again(start: () => AsyncGenerator<string>): AsyncIterable<string> {
  return { [Symbol.asyncIterator]: start };
}
