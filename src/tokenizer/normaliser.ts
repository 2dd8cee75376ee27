// What is done to a text before it is cut into words: the steps that files of others name, one after another.
import { Regex } from "../regex/index.ts";
import { type BertStep, bertNormalise } from "./bert-normaliser.ts";
import { byteLevelPiece } from "./byte-pieces.ts";
import { ByteTrie } from "./byte-trie.ts";
import { Charsmap } from "./charsmap.ts";
import { type StretchStart, utf8Bytes } from "./codec.ts";
import { precompiledNormalise } from "./precompiled.ts";
import { lowercase, replaceMatches, wellFormed } from "./text-steps.ts";
import { inForm, withoutAccents } from "./unicode-of-normalisers.ts";

/** SentencePiece's own normaliser (google/sentencepiece, normalizer.cc). */
export interface SentencePieceStep {
  readonly type: "sentencepiece";
  /** Its compiled rules ({@link Charsmap}); absent: characters stay as they are. */
  readonly charsmap?: Uint8Array;
  /** One space stays of several in a row, and none at the ends of a text. */
  readonly removeExtraSpaces: boolean;
  /** A space is put at the beginning of a text, at its end, or nowhere. */
  readonly dummySpace: "front" | "back" | "none";
}

/** One step; those but the first are those of huggingface/tokenizers, normalizers/. */
export type NormaliserStep =
  | SentencePieceStep
  | { readonly type: "form"; readonly form: "NFC" | "NFD" | "NFKC" | "NFKD" }
  | { readonly type: "lowercase" }
  /** Takes combining marks out. */
  | { readonly type: "stripAccents" }
  /** Takes white space off the ends. */
  | { readonly type: "strip"; readonly left: boolean; readonly right: boolean }
  | { readonly type: "replace"; readonly from: string; readonly to: string }
  /** Replaces the matches of an expression in Oniguruma's syntax. */
  | { readonly type: "replaceMatches"; readonly source: string; readonly to: string }
  /** Put in front of a text that is not empty. */
  | { readonly type: "prepend"; readonly text: string }
  | BertStep
  /** SentencePiece's rules `nmt` without Unicode's forms: controls go, and some white space becomes spaces. */
  | { readonly type: "nmt" }
  /** SentencePiece's compiled rules, as huggingface/tokenizers applies them. */
  | { readonly type: "precompiled"; readonly charsmap: Uint8Array }
  /** Writes the text's bytes in GPT-2's printable alphabet. */
  | { readonly type: "byteLevel" };

/** A stretch of text as the normaliser leaves it. */
export type Normalise = (text: string, start: StretchStart) => string;

/** What a normaliser needs to know of the model. */
export interface NormaliserContext {
  /** Pieces that SentencePiece's normaliser leaves as they are. */
  readonly verbatim?: readonly string[];
  /** Whether the pieces write a space as ▁, so that a ▁ of the text is a space too. */
  readonly escapesSpaces?: boolean;
}

/** @throws CriaError where a charsmap is damaged. */
export function normaliserOf(steps: readonly NormaliserStep[], context: NormaliserContext = {}): Normalise {
  const all = steps.map((step) => (step.type === "sentencepiece" ? sentencePiece(step, context) : plainStep(step)));
  return (text, start) => all.reduce((sofar, step) => step(sofar, start), wellFormed(text));
}

function plainStep(step: Exclude<NormaliserStep, SentencePieceStep>): Normalise {
  switch (step.type) {
    case "form":
      return (text) => inForm(text, step.form);
    case "lowercase":
      return lowercase;
    case "stripAccents":
      return withoutAccents;
    case "strip":
      return (text) => stripped(text, step);
    case "replace":
      return (text) => text.replaceAll(step.from, () => step.to);
    case "replaceMatches": {
      const expression = new Regex(step.source);
      return (text) => replaceMatches(text, expression, step.to);
    }
    case "prepend":
      return (text) => (text === "" ? "" : step.text + text);
    case "bert":
      return (text) => bertNormalise(text, step);
    case "nmt":
      return nmt;
    case "precompiled":
      return precompiledNormalise(step.charsmap);
    case "byteLevel":
      return (text) => byteLevelPiece(utf8Bytes(text));
    default:
      return step satisfies never;
  }
}

function nmt(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the rule takes them out
  const kept = text.replace(/[\u0001-\u0008\u000b\u000e-\u001f\u007f\u008f\u009f]/g, "");
  return kept.replace(/[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]/g, " ");
}

function stripped(text: string, { left, right }: { readonly left: boolean; readonly right: boolean }): string {
  const isWhite = (at: number) => /\p{White_Space}/u.test(text[at]!);
  let start = 0;
  let end = text.length;
  while (left && start < end && isWhite(start)) start++;
  while (right && end > start && isWhite(end - 1)) end--;
  return text.slice(start, end);
}

const space = 0x20;

/** Spaces stay spaces: that pieces write them ▁ is for the one to know who spells the pieces. */
function sentencePiece(step: SentencePieceStep, { verbatim = [], escapesSpaces = true }: NormaliserContext): Normalise {
  const { removeExtraSpaces, dummySpace } = step;
  const map = step.charsmap === undefined ? undefined : new Charsmap(step.charsmap);
  const kept = new ByteTrie(verbatim.map((piece) => [piece, 0] as const));
  const trailing = escapesSpaces ? /[ \u2581]+$/ : / +$/;
  return (text, start) => {
    if (text === "") return "";
    const rewrites = map !== undefined || removeExtraSpaces;
    const body = rewrites ? rewritten(utf8Bytes(text), map, kept, removeExtraSpaces) : text;
    if (body === undefined) return "";
    const whole = dummySpace === "front" && start !== "inside" ? ` ${body}` : body;
    return (removeExtraSpaces ? whole.replace(trailing, "") : whole) + (dummySpace === "back" ? " " : "");
  };
}

/** The text by the rules; undefined where it is nothing but spaces and these go, so that no space comes in front or behind either. */
function rewritten(bytes: Uint8Array, map: Charsmap | undefined, kept: ByteTrie, removeExtraSpaces: boolean): string | undefined {
  const out = new ByteList(bytes.length);
  let isLeading = removeExtraSpaces;
  let afterSpace = removeExtraSpaces;
  const add = (text: Uint8Array) => {
    if (isLeading && text.length === 1 && text[0] === space) return;
    isLeading = false;
    let from = 0;
    while (afterSpace && text[from] === space) from++;
    if (from === text.length) return;
    out.push(text.subarray(from));
    afterSpace = removeExtraSpaces && text.at(-1) === space;
  };
  for (let at = 0; at < bytes.length; ) {
    const verbatim = kept.longest(bytes, at);
    const replaced = verbatim > 0 ? 0 : (map?.replace(bytes, at, add) ?? 0);
    const taken = verbatim || characterBytes(bytes[at]!);
    if (replaced === 0) add(bytes.subarray(at, at + taken));
    at += replaced || taken;
  }
  return isLeading ? undefined : new TextDecoder("utf-8", { ignoreBOM: true }).decode(out.bytes);
}

/** Bytes of the UTF-8 character that begins with `first`. */
export function characterBytes(first: number): number {
  return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

class ByteList {
  #bytes: Uint8Array;
  #size = 0;

  constructor(expected: number) {
    this.#bytes = new Uint8Array(expected + 16);
  }

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#size);
  }

  push(more: Uint8Array): void {
    const size = this.#size + more.length;
    if (size > this.#bytes.length) {
      const larger = new Uint8Array(2 * size);
      larger.set(this.bytes);
      this.#bytes = larger;
    }
    this.#bytes.set(more, this.#size);
    this.#size = size;
  }
}
