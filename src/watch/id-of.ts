// What the page calls a file or folder below the one that is watched.
import { relative, resolve, sep } from "node:path";

/** The path below `root` with slashes, "." for `root` itself. */
export function idOf(root: string, path: string): string {
  return relative(resolve(root), path).split(sep).join("/") || ".";
}
