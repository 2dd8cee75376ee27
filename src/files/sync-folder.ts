// A rename is only durable once the folder is.
import { open } from "node:fs/promises";

/** What systems say that keep folders in another way, such as those of SMB and FUSE. */
const needless = ["EINVAL", "ENOSYS", "ENOTSUP", "EOPNOTSUPP", "EBADF"];

/** Windows cannot open folders and needs no such step, and some file systems have none. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync().catch((error: NodeJS.ErrnoException) => {
      if (!needless.includes(error.code ?? "")) throw error;
    });
  } finally {
    await folder.close();
  }
}
