// The demo's text: gathered from installed packages or from the files a person names, cleaned, cut into documents.
import { createReadStream } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { fail, type OnProgress } from "../../base/index.ts";
import { explainIo } from "../../files/index.ts";
import { findInstalled } from "./installed.ts";
import { pieceSize, pieces } from "./pieces.ts";
import { isRepetitive } from "./repetition.ts";
import { type SourceKind, type SourceRow, sources } from "./sources.ts";

const usual = "demo";

/** One source of text, ready to be read, any number of times. */
export interface CorpusSource {
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

/** The corpus of src/cli/demo/sources.ts. @throws CriaError when a package is not installed, unless those may be left out. */
export async function gatherCorpus(options: GatherOptions): Promise<readonly CorpusSource[]> {
  const rows = options.storiesOnly ? [{ ...sources[0]!, weight: 1 }] : sources;
  const opened = await Promise.all(rows.map((row) => openSource(row, options)));
  return opened.filter((source) => source !== undefined);
}

/** A person's own UTF-8 text files in place of the demo's, weighted by size. @throws CriaError when one is missing, empty or not text. */
export async function textCorpus(paths: readonly string[], options: TextOptions = {}): Promise<readonly CorpusSource[]> {
  const sizes = await Promise.all(paths.map((path) => fileSize(path, options)));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  return paths.map((path, i) => ({
    name: path,
    kind: "text",
    licence: "your own",
    package: path,
    weight: (sizes[i] ?? 0) / total,
    bytes: sizes[i] ?? 0,
    documents: again(() => readTextFile(path, sizes[i] ?? 0, options)),
  }));
}

async function openSource(row: SourceRow, options: GatherOptions): Promise<CorpusSource | undefined> {
  const installed = await findInstalled(options.root, row.package);
  if (installed === undefined && options.installedOnly) return undefined;
  if (installed === undefined)
    return fail(
      options.where ?? usual,
      `the text "${row.name}" comes from the package ${row.package}, which is not installed here: ` +
        `run "npm ci" in a checkout of cria, or give text of your own with --text FILE`,
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
    for (const document of pieces(text)) if (!isRepetitive(document) && seen++ % (row.keepEvery ?? 1) === 0) yield document;
    options.progress?.({ task: `reading ${row.name}`, done: i + 1, total: files.length, unit: "files" });
  }
}

async function fileSize(path: string, { where = usual }: TextOptions): Promise<number> {
  const found = await stat(path).catch((error: unknown) => Promise.reject(explainIo(where, path, error)));
  if (!found.isFile()) fail(where, `${path}: it is not a file: name text files`);
  return found.size > 0 ? found.size : fail(where, `${path}: it is empty (0 bytes): name a file with text in it`);
}

/** In constant memory: text is cut behind the last whole paragraph of what has been read so far. */
async function* readTextFile(path: string, size: number, options: TextOptions): AsyncGenerator<string> {
  const { where = usual } = options;
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let open = "";
  let done = 0;
  for await (const chunk of bytesOf(path, where)) {
    options.signal?.throwIfAborted();
    open += decode(decoder, chunk, path, where, true);
    const cut = lastCut(open);
    yield* pieces(open.slice(0, cut).replace(/\r\n?/g, "\n"));
    open = open.slice(cut);
    done += chunk.length;
    options.progress?.({ task: `reading ${path}`, done, total: size, unit: "bytes" });
  }
  yield* pieces((open + decode(decoder, new Uint8Array(), path, where)).replace(/\r\n?/g, "\n"));
}

async function* bytesOf(path: string, where: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) yield chunk as Uint8Array;
  } catch (error) {
    throw explainIo(where, path, error);
  }
}

/** Where to cut text whose end is not read yet: a blank line, else a line's end, else a space; nowhere while it is short. */
function lastCut(text: string): number {
  for (const separator of ["\n\n", "\n", " "]) {
    const at = text.lastIndexOf(separator);
    if (at > 0 || (at === 0 && text.length > 1)) return at;
  }
  return text.length > 64 * pieceSize ? text.length - 1 : 0;
}

function decode(decoder: TextDecoder, bytes: Uint8Array, path: string, where: string, stream = false): string {
  try {
    const text = decoder.decode(bytes, { stream });
    if (!text.includes("\0")) return text;
  } catch {
    return fail(where, `${path}: it is not UTF-8 text: convert it first (iconv -f LATIN1 -t UTF-8)`);
  }
  return fail(where, `${path}: it holds zero bytes, so it is not text: name text files`);
}

/** An iterable that starts over each time it is iterated. */
function again(start: () => AsyncGenerator<string>): AsyncIterable<string> {
  return { [Symbol.asyncIterator]: start };
}
