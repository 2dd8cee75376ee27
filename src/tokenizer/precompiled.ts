// SentencePiece's compiled rules as huggingface/tokenizers applies them (normalizers/precompiled.rs): by what a reader takes for a character, and by
// the shortest rule that its bytes begin with, which is not what SentencePiece does with them.
import { Charsmap } from "./charsmap.ts";
import { utf8Bytes } from "./codec.ts";

/** Longer graphemes, in bytes, are taken apart. */
const longestGrapheme = 5;

/** @throws CriaError where the rules are damaged */
export function precompiledNormalise(charsmap: Uint8Array): (text: string) => string {
  const rules = new Charsmap(charsmap);
  const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const replaced = (part: string): string | undefined => {
    const found = rules.shortest(utf8Bytes(part));
    return found === undefined ? undefined : decoder.decode(found);
  };
  const rewritten = (grapheme: string): string => {
    const whole = utf8Bytes(grapheme).length <= longestGrapheme ? replaced(grapheme) : undefined;
    return whole ?? Array.from(grapheme, (char) => replaced(char) ?? char).join("");
  };
  const known = new Map<string, string>();
  return (text) => {
    let out = "";
    for (const grapheme of graphemes(text, segmenter)) {
      let part = known.get(grapheme);
      if (part === undefined) {
        part = rewritten(grapheme);
        if (known.size === mostKnown) known.clear();
        if (grapheme.length <= longestGrapheme) known.set(grapheme, part);
      }
      out += part;
    }
    return out;
  };
}

/** Text repeats its characters: so many are kept with what becomes of them. */
const mostKnown = 1 << 14;

/** UTF-16 units that are segmented at a time: V8 takes time that grows with the square of what it is given. */
const window = 256;

/** Where a grapheme ends shows in the character behind it, so that only the last of a window may go on. */
export function* graphemes(text: string, segmenter: Intl.Segmenter): Generator<string> {
  let width = window;
  for (let at = 0; at < text.length; ) {
    if (isAlone(text, at)) {
      yield text[at++]!;
      continue;
    }
    const end = wholeCharacters(text, at + width);
    let taken = at;
    for (const { segment } of segmenter.segment(text.slice(at, end))) {
      if (end < text.length && taken + segment.length === end) break;
      yield segment;
      taken += segment.length;
    }
    width = taken === at ? 2 * width : window;
    at = taken;
  }
}

/** Whether a character is ASCII, and so is the one behind it: then it is a grapheme, but for CR in front of LF. */
function isAlone(text: string, at: number): boolean {
  return text.charCodeAt(at) < 0x80 && !(text.charCodeAt(at + 1) >= 0x80) && !(text[at] === "\r" && text[at + 1] === "\n");
}

/** The place, or the one in front where the place lies within a surrogate pair. */
function wholeCharacters(text: string, place: number): number {
  if (place >= text.length) return text.length;
  return /[\ud800-\udbff]/.test(text[place - 1] ?? "") ? place - 1 : place;
}
