// A rename as file systems that machines share do it, or not.
import { rename, stat } from "node:fs/promises";
import { CriaError } from "../base/index.ts";

/** What a file is, whatever its name. */
interface Identity {
  readonly ino: number;
  readonly size: number;
}

/** What rename(2) says where a file system has none: Mountpoint for Amazon S3 has not. */
const cannotRename = ["ENOSYS", "ENOTSUP", "EOPNOTSUPP"];

/**
 * Renames a file. A client of NFS that heard no answer asks again, and then hears that the old name is gone: where the new one is the very file, all is
 * well.
 * @param file what was renamed
 * @throws CriaError where its file system has no renames; what else rename(2) says
 */
export async function renameOnce(from: string, to: string, file: Identity, where: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (cannotRename.includes(code))
      throw new CriaError(
        where,
        `${to}: its file system cannot rename files, which is how a file appears when it is whole: choose a folder on one that can (a disk, NFS, Lustre, EFS; of clients for object stores s3fs, or rclone with --vfs-cache-mode writes)`,
        { cause: error },
      );
    const there = code === "ENOENT" ? await stat(to).catch(() => undefined) : undefined;
    if (there?.ino !== file.ino || there.size !== file.size) throw error;
  }
}
