// JSON with its own checksum, for files on the way that only this program reads:
//
//   {"crc32": "1a2b3c4d", "content": CONTENT}
//
// where the CRC-32 is that of CONTENT's bytes.
import { readFile } from "node:fs/promises";
import { fail, parseJson } from "../base/index.ts";
import { atomicWrite } from "./atomic-write.ts";
import { Checksum, checkSum, hexOf32 } from "./checksum.ts";
import { explainIo } from "./explain-io.ts";

const [beginning, ending] = ['{"crc32": "00000000", "content": ', "}\n"];
const beginningForm = /^\{"crc32": "([0-9a-f]{8})", "content": $/;

/** Writes a value with its checksum; the old file or the new one is there at any time. */
export async function writeCheckedJson(path: string, value: unknown, where = "files"): Promise<void> {
  const content = JSON.stringify(value, null, 2);
  const crc32 = hexOf32(Checksum.of(Buffer.from(content)));
  await atomicWrite(path, `${beginning.replace("00000000", crc32)}${content}${ending}`, where);
}

/** @param wayOut what to do about a damaged file, as messages end @throws CriaError where the file cannot be read, or is not what was written */
export async function readCheckedJson(path: string, where: string, wayOut: string): Promise<unknown> {
  const bytes = await readFile(path).catch((error) => Promise.reject(explainIo(where, path, error)));
  const [, written] = beginningForm.exec(bytes.toString("latin1", 0, beginning.length)) ?? [];
  const content = bytes.subarray(beginning.length, -ending.length);
  if (written === undefined || bytes.toString("latin1", bytes.length - ending.length) !== ending)
    return fail(where, `${path}: it does not begin and end as it was written, with its checksum: ${wayOut}`);
  checkSum(path, { where, what: "its bytes", found: Checksum.of(content), written: Number.parseInt(written, 16), wayOut });
  return parseJson(where, path, content.toString(), wayOut);
}
