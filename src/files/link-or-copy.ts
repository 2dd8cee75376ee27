// A file under another name, too, at no cost where the file system has hard links.
import { link } from "node:fs/promises";
import { dirname } from "node:path";
import { atomicWrite } from "./atomic-write.ts";
import { explainIo } from "./explain-io.ts";
import { readStream } from "./read-stream.ts";
import { syncFolder } from "./sync-folder.ts";

/** What link(2) says where a file system has no links, the names lie on two of them, or the file has as many as it may: then it is copied. */
const unlinkable = ["EXDEV", "EPERM", "EACCES", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EINVAL", "EMLINK"];

/** Links another name to a file, or copies it where that cannot be. @throws CriaError where the name is taken, or the copy fails */
export async function linkOrCopy(from: string, to: string, where = "files"): Promise<void> {
  try {
    await link(from, to);
    await syncFolder(dirname(to));
  } catch (error) {
    if (!unlinkable.includes((error as NodeJS.ErrnoException).code ?? "")) throw explainIo(where, to, error);
    await atomicWrite(to, readStream(from, { where }), where);
  }
}
