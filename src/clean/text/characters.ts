// What a character is to the rules of cleaning, which come from Python: its white space, its line ends, its letters, and the punctuation of
// datatrove's filters (after cc_net's). One byte of flags per code point, from tables of our own, so that no verdict depends on the engine's Unicode.
import { characterClass } from "../../regex/index.ts";

/** White space as Python's `str.split` and `str.strip` have it. */
export const spaceFlag = 1;
/** A character that ends a line in Python's `str.splitlines`, where "\r\n" ends one line. */
export const lineEndFlag = 2;
/** A letter as Python's `str.isalpha` has it: Unicode's categories L. */
export const letterFlag = 4;
/** Punctuation and control characters, which alone make no word that Gopher's rules count. */
export const punctuationFlag = 8;
/** A mark that ends a sentence: Unicode 15's Sentence_Terminal, and three marks of Khmer. */
export const terminalFlag = 16;
/** A number as Python's `str.isnumeric` has it but for ideographs, which are letters: Unicode's categories N. */
export const numberFlag = 32;

const spaces = "9-d 1c-20 85 a0 1680 2000-200a 2028-2029 202f 205f 3000";
const lineEnds = "a-d 1c-1e 85 2028-2029";
const controls = "0-8 b-1f 7f-9f";
const terminals =
  "21 2e 3f 589 61d-61f 6d4 700-702 7f9 837 839 83d-83e 964-965 104a-104b 1362 1367-1368 166e 1735-1736 17d4-17d6 17d9-17da 1803 1809 1944-1945 1aa8-1aab 1b5a-1b5b 1b5e-1b5f 1b7d-1b7e 1c3b-1c3c 1c7e-1c7f 203c-203d 2047-2049 2e2e 2e3c 2e53-2e54 3002 a4ff a60e-a60f a6f3 a6f7 a876-a877 a8ce-a8cf a92f a9c8-a9c9 aa5d-aa5f aaf0-aaf1 abeb fe52 fe56-fe57 ff01 ff0e ff1f ff61 10a56-10a57 10f55-10f59 10f86-10f89 11047-11048 110be-110c1 11141-11143 111c5-111c6 111cd 111de-111df 11238-11239 1123b-1123c 112a9 1144b-1144c 115c2-115c3 115c9-115d7 11641-11642 1173c-1173e 11944 11946 11a42-11a43 11a9b-11a9c 11c41-11c42 11ef7-11ef8 11f43-11f44 16a6e-16a6f 16af5 16b37-16b38 16b44 16e98 1bc9f 1da88";
/** Marks beside ASCII's and those that end sentences. */
const otherMarks = "«´»–—’“”„…∶━►、〈〉《》「」【】％（），１：；～";
const asciiMarks = "21-2f 3a-40 5b-60 7b-7e";

let flags: Uint8Array | undefined;

/** The flags of every code point. */
export function characterFlags(): Uint8Array {
  flags ??= makeFlags();
  return flags;
}

function makeFlags(): Uint8Array {
  const table = new Uint8Array(0x110000);
  const add = (ranges: Iterable<readonly [number, number]>, flag: number) => {
    for (const [first, last] of ranges) for (let c = first; c <= last; c++) table[c]! |= flag;
  };
  add(rangesOf(spaces), spaceFlag);
  add(rangesOf(lineEnds), lineEndFlag);
  add(characterClass("L"), letterFlag);
  add(characterClass("N"), numberFlag);
  for (const set of [controls, asciiMarks, terminals]) add(rangesOf(set), punctuationFlag);
  for (const mark of otherMarks) add([[mark.codePointAt(0) ?? 0, mark.codePointAt(0) ?? 0]], punctuationFlag);
  add(rangesOf(terminals), terminalFlag);
  return table;
}

function rangesOf(hex: string): [number, number][] {
  return hex.split(" ").map((range) => {
    const [first = 0, last = first] = range.split("-").map((code) => Number.parseInt(code, 16));
    return [first, last];
  });
}
