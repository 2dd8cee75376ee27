// Train or held out, decided by the text itself: the same text always falls on the same side, whatever file, order or source it comes in.
import { createHash } from "node:crypto";

/** True for about `fraction` of all texts: those whose {@link sideOf} is below it. */
export function isHeldOut(text: string, fraction: number): boolean {
  return sideOf(text) < fraction;
}

/** A number from 0 (inclusive) to 1 (exclusive) that follows from the text, without the white space around it: the first 48 bits of its SHA-256. */
export function sideOf(text: string): number {
  return createHash("sha256").update(text.trim(), "utf8").digest().readUIntBE(0, 6) / 2 ** 48;
}
