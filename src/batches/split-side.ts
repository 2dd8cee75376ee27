// Train or held out, decided by the text itself: the same text always falls on the same side, whatever file, order or source it comes in.
import { Sha256 } from "../base/index.ts";

/** The SHA-256 of a text's UTF-8. Ours runs anywhere; a platform's own is faster by far where it uses the processor's instructions. */
export type TextHash = (text: string) => Uint8Array;

/** True for about `fraction` of all texts: those whose {@link sideOf} is below it. */
export function isHeldOut(text: string, fraction: number): boolean {
  return sideOf(text, portableHash) < fraction;
}

/** A number from 0 (inclusive) to 1 (exclusive) that follows from the text, without the white space around it: the first 48 bits of its SHA-256. */
export function sideOf(text: string, hash: TextHash): number {
  const { buffer, byteOffset } = hash(text.trim());
  const digest = new DataView(buffer, byteOffset);
  return (digest.getUint32(0) * 2 ** 16 + digest.getUint16(4)) / 2 ** 48;
}

/** SHA-256 in plain JavaScript, which also runs in a page. */
export const portableHash: TextHash = (text) => new Sha256().update(text).digest();
