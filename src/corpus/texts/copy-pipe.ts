// Standard input and pipes give their bytes once, but texts are read several times: they are copied to a temporary file first.
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { explainIo } from "../../files/index.ts";

/** A copy, to be removed when it is no longer needed. */
export interface PipeCopy extends AsyncDisposable {
  readonly path: string;
  readonly bytes: number;
}

/** @throws CriaError when the disk is full; the signal's reason when it aborts. In both cases no copy is left. */
export async function copyPipe(chunks: AsyncIterable<Uint8Array>, where: string, signal?: AbortSignal): Promise<PipeCopy> {
  const folder = await mkdtemp(join(tmpdir(), "cria-pipe-")).catch((error) => {
    throw explainIo(where, tmpdir(), error);
  });
  const remove = () => rm(folder, { recursive: true, force: true });
  const path = join(folder, "text");
  try {
    let bytes = 0;
    await using file = await open(path, "w");
    for await (const chunk of chunks) {
      signal?.throwIfAborted();
      await file.writeFile(chunk);
      bytes += chunk.length;
    }
    return { path, bytes, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    signal?.throwIfAborted();
    throw explainIo(where, path, error);
  }
}
