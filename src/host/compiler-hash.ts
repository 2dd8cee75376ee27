// Names the compiler that this process runs by what its files hold. Sizes and times of files would be quicker to read, but agree where contents do
// not, after a checkout or an unpacking; a number written by the build would be wrong as soon as a file is built without it.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
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

const extension = extname(import.meta.url);

/** Programs in a folder and those in it, without tests, in a fixed order. Node's own recursive listing takes four times as long. */
function filesIn(root: string, folder: string): string[] {
  const entries = readdirSync(join(root, folder)).sort();
  return entries.flatMap((name) => {
    const path = `${folder}/${name}`;
    if (!name.includes(".")) return filesIn(root, path);
    return name.endsWith(extension) && !name.includes(".test.") ? [path] : [];
  });
}

/**
 * Undefined where the files do not lie as they are built, in a bundle for instance. It is read when this module is loaded, with the compiler itself:
 * files that an installation replaces later are not what this process runs by. Takes 2 ms.
 */
export const compilerHash: string | undefined = hashOf(fileURLToPath(new URL("..", import.meta.url)));
