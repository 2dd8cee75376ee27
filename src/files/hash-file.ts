// SHA-256 of a file, as `sha256sum` prints it: Node's uses the processor's instructions for it.
import { createHash } from "node:crypto";
import { explainIo } from "./explain-io.ts";
import { openRegular } from "./regular-file.ts";

const chunkBytes = 1 << 20;

/** What a hash tells while it is computed, and what stops it. */
export interface HashOptions {
  /** Stops between two chunks. */
  readonly signal?: AbortSignal | undefined;
  /** Is told the bytes of every chunk. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/** 64 hexadecimal digits. @throws CriaError when the file cannot be read; the signal's reason when it aborts */
export async function hashFile(path: string, where = "files", { signal, onBytes }: HashOptions = {}): Promise<string> {
  const { handle } = await openRegular(path, where);
  try {
    const hash = createHash("sha256");
    const chunk = Buffer.allocUnsafe(chunkBytes);
    for (;;) {
      signal?.throwIfAborted();
      const { bytesRead } = await handle.read(chunk, 0, chunkBytes);
      if (bytesRead === 0) return hash.digest("hex");
      hash.update(chunk.subarray(0, bytesRead));
      onBytes?.(bytesRead);
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw explainIo(where, path, error);
  } finally {
    await handle.close();
  }
}
