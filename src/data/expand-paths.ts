// Path patterns to files: `*` and `?` within a name, `**` for any number of folders, a folder for every file below it.
import { readdir, stat } from "node:fs/promises";
import { join, resolve, sep } from "node:path";
import { check } from "../base/index.ts";
import { explainIo } from "../files/index.ts";

const where = "data";

/**
 * The files that patterns name, each once, in the order of the patterns and sorted within one, so that every machine reads in the same order.
 * @param folder what relative patterns start from
 * @throws CriaError when a pattern names nothing
 */
export async function expandPaths(patterns: readonly string[], folder: string): Promise<string[]> {
  const files = new Set<string>();
  for (const pattern of patterns) for (const file of await expandPath(pattern, folder)) files.add(file);
  return [...files];
}

async function expandPath(pattern: string, folder: string): Promise<string[]> {
  const parts = pattern.split(sep === "/" ? "/" : /[/\\]/);
  const firstPattern = parts.findIndex((part) => /[*?]/.test(part));
  const isPattern = firstPattern >= 0;
  const fixed = (isPattern ? parts.slice(0, firstPattern) : parts).join("/");
  const base = resolve(folder, isPattern && fixed === "" && pattern.startsWith("/") ? "/" : fixed);
  if (!isPattern && !(await isFolder(base))) return [base];
  const wanted = toRegExp(isPattern ? parts.slice(firstPattern) : ["**"]);
  const files = (await filesBelow(base, "")).filter((file) => wanted.test(file)).sort();
  check(files.length > 0, where, () => `${pattern}: no file under ${base} matches it: correct the pattern`);
  return files.map((file) => join(base, file));
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    throw explainIo(where, path, error);
  }
}

/** Names relative to `base`, with "/" between folders; links are not followed, so that a circle of them does no harm. */
async function filesBelow(base: string, inside: string): Promise<string[]> {
  const entries = await readdir(join(base, inside), { withFileTypes: true }).catch((error) => {
    throw explainIo(where, join(base, inside), error);
  });
  const found = entries.map((entry) => {
    const name = inside === "" ? entry.name : `${inside}/${entry.name}`;
    if (entry.isDirectory()) return filesBelow(base, name);
    return entry.isFile() ? [name] : [];
  });
  return (await Promise.all(found)).flat();
}

function toRegExp(parts: readonly string[]): RegExp {
  const source = parts.map((part, i) => {
    const isLast = i === parts.length - 1;
    if (part === "**") return isLast ? ".*" : "(?:[^/]+/)*";
    const name = part
      .replace(/[.+^${}()|[\]\\]/g, "\\$&")
      .replace(/\*+/g, "[^/]*")
      .replaceAll("?", "[^/]");
    return isLast ? name : `${name}/`;
  });
  return new RegExp(`^${source.join("")}$`, "s");
}
