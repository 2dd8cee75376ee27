// Train or held out, decided by the text itself: the same text always falls on the same side, whatever file, order or source it comes in.
import { createHash } from "node:crypto";

/** True for about `fraction` of all texts: those whose SHA-256, its first 48 bits read as a number below 1, is below `fraction`. */
export function isHeldOut(text: string, fraction: number): boolean {
  return createHash("sha256").update(text, "utf8").digest().readUIntBE(0, 6) < fraction * 2 ** 48;
}
