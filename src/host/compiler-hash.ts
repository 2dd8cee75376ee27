// Names the compiler that this process runs by what its files hold. Sizes and times of files would be quicker to read, but agree where contents do
// not, after a checkout or an unpacking; a number written by the build would be wrong as soon as a file is built without it.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The rooms that machine code follows from: the kernel room and the one that it may import. */
const rooms = ["kernel", "base"];

/** @param root the folder of the rooms. */
export function hashOf(root: string): string | undefined {
  const hash = createHash("sha256");
  try {
    for (const room of rooms) for (const file of filesIn(root, room)) hash.update(`${file}\0`).update(readFileSync(join(root, file)));
    return hash.digest("hex");
  } catch {
    return undefined;
  }
}

/** Programs in a folder and those in it, without tests, in a fixed order. Node's own recursive listing takes four times as long. */
function filesIn(root: string, folder: string): string[] {
  const entries = readdirSync(join(root, folder)).sort();
  return entries.flatMap((name) => {
    const path = `${folder}/${name}`;
    if (!name.includes(".")) return filesIn(root, path);
    return name.endsWith(".js") && !name.includes(".test.") ? [path] : [];
  });
}

/**
 * The folder of the rooms, where a module is this one's file as it runs; undefined in a bundle, which has other files around it, or says that it is the
 * file that it was made of, which may have changed since.
 */
export function rootOf(module: string | undefined): string | undefined {
  try {
    const path = fileURLToPath(module ?? "");
    const isOwn = basename(path, extname(path)) === "compiler-hash" && readFileSync(path, "utf8").includes(String(hashOf));
    return isOwn ? dirname(dirname(path)) : undefined;
  } catch {
    return undefined;
  }
}

const root = rootOf(import.meta.url);

/**
 * Undefined where the files do not lie as they are built. It is read when this module is loaded, with the compiler itself: files that an installation
 * replaces later are not what this process runs by. Takes 2 ms.
 */
export const compilerHash: string | undefined = root && hashOf(root);
