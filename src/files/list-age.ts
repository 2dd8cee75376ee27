// How old the listing of a folder may be that another machine writes in: a client of a network file system asks its server only every so often.
import { statfs } from "node:fs/promises";

/**
 * Seconds by the file system's number in statfs(2): acdirmax of nfs(5), acdirmax of mount.cifs(8), and what clients of object stores that are mounted as
 * folders take at most where they are told so, such as rclone by --dir-cache-time 60s. Others, Lustre and GPFS among them, show at once what another machine did.
 */
const seconds: ReadonlyMap<number, number> = new Map([
  [0x6969, 60], // NFS, and with it EFS
  [0xff534d42, 60], // SMB
  [0xfe534d42, 60], // SMB 2 and later
  [0x65735546, 60], // FUSE
]);

/** How many seconds old a listing of the folder may be; 0 where the system shows what is there, or does not say. */
export async function listAge(folder: string): Promise<number> {
  const found = await statfs(folder).catch(() => undefined);
  return seconds.get((found?.type ?? 0) >>> 0) ?? 0;
}
