// Texts that are not on this machine: data sets of Hugging Face's hub, `hf:datasets/owner/name`, and files at addresses. They are fetched once, and read from the cache.
import { dirname, join } from "node:path";
import picomatch from "picomatch";
import { fail, type OnProgress } from "../../base/index.ts";
import { downloadDataset, downloadFrom, isAddress, isHubName } from "../../hub/index.ts";
import { type FormName, formOfName } from "./forms.ts";

/** How remote files are fetched. */
export interface RemoteOptions {
  readonly where: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
  /** Is told of files that a name leaves out. */
  readonly onNote?: ((note: string) => void) | undefined;
}

/** A file that was fetched. */
export interface FetchedFile {
  readonly path: string;
  /** What messages call it. */
  readonly name: string;
  readonly root: string;
}

/** Whether a path is on another machine. */
export function isRemote(path: string): boolean {
  return isHubName(path) || isAddress(path);
}

/** The files that a remote path names, all on this machine. @throws CriaError where there are none, or they cannot be fetched */
export async function fetchRemote(path: string, { where, signal, onProgress, onNote }: RemoteOptions): Promise<readonly FetchedFile[]> {
  if (isAddress(path)) {
    const fetched = await downloadFrom(path, { signal, onProgress });
    return [{ path: fetched, name: path, root: dirname(fetched) }];
  }
  const base = /^hf:[^:]+/.exec(path)?.[0] ?? path;
  const choose = (paths: readonly string[], pattern: string | undefined) => {
    const chosen = pattern === undefined ? usualFiles(paths) : matching(paths, pattern);
    const lacks = pattern === undefined ? "it has no files of texts" : "none of its files matches";
    if (chosen.length > 0 && pattern === undefined)
      onNote?.(`${path}: ${chosen.length} of its ${paths.length} files are read: ${listed(chosen)}`);
    return chosen.length > 0
      ? chosen
      : fail(where, `${path}: ${lacks}: it has ${listed(paths)}; name some by a pattern, as in ${base}:data/*.parquet`);
  };
  const { folder, files } = await downloadDataset(path, choose, { signal, onProgress, onWarning: onNote });
  return files.map((file) => ({ path: join(folder, ...file.split("/")), name: `${base}:${file}`, root: folder }));
}

function matching(paths: readonly string[], pattern: string): string[] {
  const isWanted = picomatch(pattern);
  const found = paths.filter((path) => isWanted(path));
  return (found.length > 0 ? found : paths.filter((path) => path.startsWith(`${pattern}/`) && formOfName(path) !== undefined)).sort();
}

/** Forms that data sets keep their texts in, the best one first; of several only one, because many data sets are there in more than one. */
const usual: readonly FormName[] = ["parquet", "jsonl", "json", "csv", "tsv", "warc", "text", "archive"];
/** What lies beside the texts. */
const others = /(^|\/)(README|LICEN[CS]E|dataset_infos?|dataset_dict|state|\.)[^/]*$|\.md$/i;
const [ofTraining, heldOut] = [/(^|[/_.-])train/i, /(^|[/_.-])(test|validation|valid|val|dev|eval)([/_.-]|$)/i];

/** The files of texts in the best form that there is, of those for training where some are held out by their names. */
function usualFiles(paths: readonly string[]): string[] {
  const texts = paths.filter((path) => !others.test(path)).sort();
  for (const form of usual) {
    const found = texts.filter((path) => formOfName(path)?.name === form);
    if (found.length === 0) continue;
    return found.some((path) => ofTraining.test(path)) ? found.filter((path) => !heldOut.test(path)) : found;
  }
  return [];
}

function listed(paths: readonly string[]): string {
  return `${paths.slice(0, 5).join(", ")}${paths.length > 5 ? ` and ${paths.length - 5} more` : ""}`;
}
