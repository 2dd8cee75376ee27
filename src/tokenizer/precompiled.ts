// SentencePiece's compiled rules as huggingface/tokenizers applies them (normalizers/precompiled.rs): by what a reader takes for a character, and by
// the shortest rule that its bytes begin with, which is not what SentencePiece does with them.
import { Charsmap } from "./charsmap.ts";
import { utf8Bytes } from "./codec.ts";

/** Longer graphemes, in bytes, are taken apart. */
const longestGrapheme = 5;

/** @throws CriaError where the rules are damaged */
export function precompiledNormalise(charsmap: Uint8Array): (text: string) => string {
  const rules = new Charsmap(charsmap);
  const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const replaced = (part: string): string | undefined => {
    const found = rules.shortest(utf8Bytes(part));
    return found === undefined ? undefined : decoder.decode(found);
  };
  return (text) => {
    let out = "";
    for (const { segment } of graphemes.segment(text)) {
      const whole = utf8Bytes(segment).length <= longestGrapheme ? replaced(segment) : undefined;
      if (whole !== undefined) out += whole;
      else for (const char of segment) out += replaced(char) ?? char;
    }
    return out;
  };
}
