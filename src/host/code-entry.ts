// The file of a compiled kernel: what calling it takes, its code, and a checksum over all of it.
//
//   0   8 bytes  magic, which is another one for another form of file
//   8  32 bytes  SHA-256 of all that follows
//  40   4 bytes  length of the header, little-endian
//  44            the header in JSON: key, params, units, liveUnits, scratchBytes; then the code to the end
import { createHash } from "node:crypto";
import type { StoredCode } from "../backend/cpu/index.ts";

const magic = Buffer.from("criacod1");
const hashedFrom = magic.length + 32;
const headerFrom = hashedFrom + 4;

/** The key stands in the header, so that a file under another's name is not taken for it. */
export function encodeEntry({ code, ...call }: StoredCode, key: string): Buffer {
  const header = Buffer.from(JSON.stringify({ key, ...call }));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length);
  const hashed = Buffer.concat([length, header, code]);
  return Buffer.concat([magic, sha256(hashed), hashed]);
}

/** Undefined where the bytes are not whole, not what was written, or another key's. */
export function decodeEntry(bytes: Buffer, key: string): StoredCode | undefined {
  if (bytes.length < headerFrom || !bytes.subarray(0, magic.length).equals(magic)) return undefined;
  if (!sha256(bytes.subarray(hashedFrom)).equals(bytes.subarray(magic.length, hashedFrom))) return undefined;
  const codeFrom = headerFrom + bytes.readUInt32LE(hashedFrom);
  const header = JSON.parse(bytes.toString("utf8", headerFrom, codeFrom)) as Omit<StoredCode, "code"> & { readonly key: string };
  if (header.key !== key) return undefined;
  const { params, units, liveUnits, scratchBytes } = header;
  return { params, units, liveUnits, scratchBytes, code: bytes.subarray(codeFrom) };
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}
