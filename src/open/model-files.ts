// The files of a model by name, wherever they lie: a folder, files that were dropped into a page, addresses of a server.
import { type ByteSource, checkFileSize, fail, type SizeLimit } from "../base/index.ts";

/** A file that is open, and closed with what was opened from it where it can be. */
export type OpenedSource = ByteSource & { close?(): Promise<void> };

/** The files of a model, wherever they lie. */
export interface ModelFiles {
  /** What messages call the place: a folder's path, an address. */
  readonly name: string;
  /** Two that have the same one are the same place. */
  readonly identity: unknown;
  /** What messages call a file of it. */
  pathOf(file: string): string;
  /** Names of its files, or of those in one of its folders; none where there is no such folder. */
  list(folder?: string): Promise<readonly string[]>;
  /** A file to read from by range. @throws CriaError when it is not there */
  open(file: string): Promise<OpenedSource>;
  /** All of a small file; undefined when it is not there. @throws CriaError when it is larger than files of its kind are */
  read(file: string, limit: SizeLimit): Promise<Uint8Array | undefined>;
}

/** One file among those beside it. */
export interface FilePlace {
  readonly files: ModelFiles;
  readonly file: string;
}

const where = "model";

/** @param sources by file name, with "/" before a file in a folder; they stay open */
export function sourceFiles(name: string, sources: Readonly<Record<string, ByteSource>>): ModelFiles {
  const known = new Map(Object.entries(sources));
  return {
    name,
    identity: sources,
    pathOf: (file) => `${name}/${file}`,
    list: async (folder) => {
      const inside = folder === undefined ? [...known.keys()] : [...known.keys()].flatMap((file) => nameIn(folder, file));
      return inside.filter((file) => !file.includes("/"));
    },
    open: async (file) => {
      const source = known.get(file) ?? fail(where, `${name}: it has no file ${file}: add it to the files of the model`);
      return { name: `${name}/${file}`, size: source.size, read: (offset, length) => source.read(offset, length) };
    },
    read: async (file, limit) => {
      const source = known.get(file);
      if (source === undefined) return undefined;
      checkFileSize(where, `${name}/${file}`, source.size, limit);
      return source.read(0, source.size);
    },
  };
}

/** The place as messages name it. */
export function pathOf({ files, file }: FilePlace): string {
  return files.pathOf(file);
}

function nameIn(folder: string, file: string): string[] {
  return file.startsWith(`${folder}/`) ? [file.slice(folder.length + 1)] : [];
}
