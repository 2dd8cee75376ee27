// BertNormalizer (huggingface/tokenizers, normalizers/bert.rs): what BERT does to a text first.

import { lowercase } from "./text-steps.ts";
import { inForm, withoutBertAccents, withoutBertControls } from "./unicode-of-normalisers.ts";

/** What BertNormalizer is told to do. */
export interface BertStep {
  readonly type: "bert";
  /** Controls, NUL and U+FFFD go, and all white space becomes spaces. */
  readonly cleansText: boolean;
  /** Spaces go around every ideograph. */
  readonly partsIdeographs: boolean;
  readonly stripsAccents: boolean;
  readonly lowercases: boolean;
}

/** The range from U+2B820 to U+2B91F is missing there, too. */
const ideograph = /[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u{20000}-\u{2a6df}\u{2a700}-\u{2b81f}\u{2b920}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/gu;

/** A text as BertNormalizer leaves it. */
export function bertNormalise(text: string, { cleansText, partsIdeographs, stripsAccents, lowercases }: BertStep): string {
  const clean = cleansText ? withoutBertControls(text).replace(/\p{White_Space}/gu, " ") : text;
  const parted = partsIdeographs ? clean.replace(ideograph, " $& ") : clean;
  const plain = stripsAccents ? withoutBertAccents(inForm(parted, "NFD")) : parted;
  return lowercases ? lowercase(plain) : plain;
}
