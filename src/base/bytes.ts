// Where bytes come from, without saying how: a file, a fetch with ranges, or memory.

/** Random access to bytes of known length. `read` never returns fewer bytes than asked for: it throws. */
export interface ByteSource {
  /** The path or address, for messages. */
  readonly name: string;
  readonly size: number;
  read(offset: number, length: number): Promise<Uint8Array>;
  /** The open file, where it is one of this machine: see {@link FileRegion}. */
  readonly descriptor?: number;
}

/** Bytes of an open file, for those who can use them where they lie: `bytes` of them from `start`. */
export interface FileRegion {
  readonly name: string;
  readonly descriptor: number;
  readonly start: number;
  readonly bytes: number;
}

/** Bytes already in memory. */
export function memorySource(name: string, bytes: Uint8Array): ByteSource {
  return {
    name,
    size: bytes.length,
    read: (offset, length) => {
      if (offset < 0 || length < 0 || offset + length > bytes.length)
        return Promise.reject(
          new RangeError(`[bytes] ${name}: bytes ${offset} to ${offset + length} asked for, but it has ${bytes.length}`),
        );
      return Promise.resolve(bytes.subarray(offset, offset + length));
    },
  };
}
