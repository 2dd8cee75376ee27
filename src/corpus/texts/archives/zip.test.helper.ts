// Small zip archives for tests; what other programs write is in the goldens.
import { crc32, deflateRawSync } from "node:zlib";

/** A file as it is in an archive. */
interface Packed {
  readonly name: string;
  readonly unpacked: Uint8Array;
  readonly packed: Uint8Array;
}

/** A deflated file. */
export const packed = (name: string, unpacked: Uint8Array): Packed => ({ name, unpacked, packed: deflateRawSync(unpacked) });

/** A zip archive of files, whose directory lists some of them so many times. */
export function zipOf(files: readonly Packed[], times: Readonly<Record<string, number>> = {}): Buffer {
  const [parts, directory]: [Buffer[], Buffer[]] = [[], []];
  let at = 0;
  for (const { name, unpacked, packed } of files) {
    const start = at;
    const sizes = Buffer.alloc(12);
    sizes.writeUInt32LE(crc32(unpacked), 0);
    sizes.writeUInt32LE(packed.length, 4);
    sizes.writeUInt32LE(unpacked.length, 8);
    const names = Buffer.from(`${String.fromCharCode(name.length)}\0\0\0`, "latin1");
    const head = Buffer.concat([Buffer.from("PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0", "latin1"), sizes, names, Buffer.from(name)]);
    parts.push(head, Buffer.from(packed));
    at += head.length + packed.length;
    const where = Buffer.alloc(4);
    where.writeUInt32LE(start);
    const entry = [
      Buffer.from("PK\x01\x02\x14\0\x14\0\0\0\x08\0\0\0\0\0", "latin1"),
      sizes,
      names,
      Buffer.alloc(10),
      where,
      Buffer.from(name),
    ];
    for (let i = 0; i < (times[name] ?? 1); i++) directory.push(Buffer.concat(entry));
  }
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(directory.length, 8);
  end.writeUInt16LE(directory.length, 10);
  const listed = Buffer.concat(directory);
  end.writeUInt32LE(listed.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, listed, end]);
}
