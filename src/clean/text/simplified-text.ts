// A text as datatrove's MinHash reads it (0.10.1, utils/text.py, simplify_text): in small letters, numbers as 0, without its marks, accents and line ends.
import { characterClass } from "../../regex/index.ts";
import { characterFlags, spaceFlag } from "./characters.ts";

/** datatrove's PUNCTUATION without control characters, which becomes spaces; a digit of full width is among it, but numbers are gone before. */
const marks = "!/—”:％１〈&(、━\\【#%「」，】；+^]~“《„';’{|∶´[=-`*．（–？！：$～«〉,><》)?）。…@_.\"}►»";
const controls = [
  [0, 0x1f],
  [0x7f, 0x9f],
] as const;

interface Tables {
  /** 1 for units that are no part of words: white space and marks. */
  readonly gaps: Uint8Array;
  readonly numbers: RegExp;
  readonly accents: RegExp;
}

let tables: Tables | undefined;

/** The words of a simplified text, one space between two of them. */
export function simplifiedText(text: string): string {
  tables ??= makeTables();
  const { gaps, numbers, accents } = tables;
  const plain = joinWords(text.toLowerCase().replace(numbers, "0"), gaps).normalize("NFD");
  const bare = plain.replace(accents, "");
  // A word of accents alone is gone with them.
  return bare.length === plain.length ? plain : joinWords(bare, spaceAlone);
}

const spaceAlone = Uint8Array.from({ length: 0x10000 }, (_, unit) => (unit === 0x20 ? 1 : 0));

/** What stands between gaps, joined by single spaces. */
function joinWords(text: string, gaps: Uint8Array): string {
  let [joined, start] = ["", 0];
  for (let at = 0; at <= text.length; at++) {
    if (at < text.length && gaps[text.charCodeAt(at)] === 0) continue;
    if (at > start) joined += joined === "" ? text.slice(start, at) : ` ${text.slice(start, at)}`;
    start = at + 1;
  }
  return joined;
}

/** Classes are from our own tables, so that no signature depends on the engine's Unicode. */
function makeTables(): Tables {
  const flags = characterFlags();
  const gaps = Uint8Array.from({ length: 0x10000 }, (_, unit) => ((flags[unit]! & spaceFlag) === 0 ? 0 : 1));
  for (const mark of marks) gaps[mark.charCodeAt(0)] = 1;
  for (const [first, last] of controls) gaps.fill(1, first, last + 1);
  const digits = rangesOf("Nd");
  return { gaps, numbers: new RegExp(`${digits}+(?:[.,،٫⎖⎗⎘]${digits}+)?`, "gu"), accents: new RegExp(rangesOf("Mn"), "gu") };
}

function rangesOf(name: string): string {
  const hex = (point: number) => `\\u{${point.toString(16)}}`;
  return `[${Array.from(characterClass(name), ([first, last]) => `${hex(first)}-${hex(last)}`).join("")}]`;
}
