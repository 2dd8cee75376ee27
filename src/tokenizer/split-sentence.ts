// Cutting a text for SentencePiece training: into lines, and these where no piece reaches across (sentencepiece, trainer_interface.cc,
// LoadSentences, SplitIntoWords and IsValidSentencePiece). What no piece may hold is a word of one character, which counts among the characters.
import { utf8Bytes } from "./codec.ts";
import { spaceMark } from "./model.ts";
import { pointAt, widthOf } from "./utf8-bits.ts";

/** How texts are cut for SentencePiece's training. */
export interface SentenceRules {
  readonly splitDigits: boolean;
  readonly splitByUnicodeScript: boolean;
  /** Special pieces. Where a text spells one, `boundary` stands in its place. */
  readonly reserved: readonly string[];
  /** The character that no piece may hold. */
  readonly boundary: string;
  /** Longer lines are left out. Absent: none is. */
  readonly maxSentenceBytes?: number;
  /** Lines with a ▅ are left out: SentencePiece keeps it for itself. @default false */
  readonly reservesUnknownMark?: boolean;
  /** Lines are cut at spaces alone: in front of a run of them, or of every one. Absent: also elsewhere. */
  readonly onlyAt?: "runs of spaces" | "spaces";
}

/** Stands for rare characters in SentencePiece's trainer. */
export const unknownMark = "\u2585";

/** Calls back with every part, which stands in `line` from `start` to `end`. Spaces stand in front of the word they belong to. */
export function eachSentencePart(text: string, rules: SentenceRules, each: (line: string, start: number, end: number) => void): void {
  const mark = markReserved(rules);
  for (const line of text.split("\n")) if (line !== "" && !isLeftOut(line, rules)) cutLine(` ${mark(line)}`, rules, each);
}

/**
 * The same of UTF-8 that went through {@link markReserved} and holds no ▅: parts stand in `bytes`, from `start` to `end`.
 * @param bytes begin with a space, behind which the text lies up to `size`. They are changed: a line end becomes the space in front of the next line.
 */
export function eachSentencePartUtf8(
  bytes: Uint8Array,
  size: number,
  rules: SentenceRules,
  each: (start: number, end: number) => void,
): void {
  const { maxSentenceBytes = Number.POSITIVE_INFINITY } = rules;
  // A search beyond the text would walk over what longer texts have left there, for every short one.
  const text = bytes.subarray(0, size);
  for (let start = 0; start < size; ) {
    const found = text.indexOf(lineFeed, start + 1);
    const end = found < 0 ? size : found;
    if (end > start + 1 && end - start - 1 <= maxSentenceBytes) cutLineUtf8(bytes, start, end, rules, each);
    if (end < size) bytes[end] = 0x20;
    start = end;
  }
}

const lineFeed = 0x0a;

/** Puts in a text, or in a line of it, what stands for a ▁ and for reserved pieces. */
export function markReserved({ reserved, boundary }: SentenceRules): (text: string) => string {
  const all = new RegExp([spaceMark, ...reserved.toSorted((a, b) => b.length - a.length).map(escaped)].join("|"), "g");
  const some = new RegExp(`[${spaceMark}${escapedClass(reserved)}]`);
  return (text) => (some.test(text) ? text.replace(all, (found) => (found === spaceMark ? " " : boundary)) : text);
}

function isLeftOut(line: string, { maxSentenceBytes = Number.POSITIVE_INFINITY, reservesUnknownMark = false }: SentenceRules): boolean {
  if (reservesUnknownMark && line.includes(unknownMark)) return true;
  // A UTF-16 unit has at most three bytes.
  return 3 * line.length > maxSentenceBytes && utf8Bytes(line).length > maxSentenceBytes;
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}

/** The first characters of the pieces. */
function escapedClass(pieces: readonly string[]): string {
  return [...new Set(pieces.map((piece) => escaped(piece[0] ?? "")))].join("");
}

const forbidden = 1;
const digit = 2;
const inherited = 3;
const space = 4;
const firstScript = 5;

function cutLine(line: string, rules: SentenceRules, each: (line: string, start: number, end: number) => void): void {
  const boundary = rules.boundary.charCodeAt(0);
  let start = 0;
  let before = forbidden; // the group of the character before
  for (let at = 0; at < line.length; ) {
    const code = line.codePointAt(at) ?? 0;
    const group = code === boundary ? forbidden : groupOf(code);
    if (at > start && isCut(before, group, rules)) {
      each(line, start, at);
      start = at;
    }
    before = group;
    at += code > 0xffff ? 2 : 1;
  }
  each(line, start, line.length);
}

function cutLineUtf8(bytes: Uint8Array, from: number, to: number, rules: SentenceRules, each: (start: number, end: number) => void): void {
  const boundary = rules.boundary.charCodeAt(0);
  let start = from;
  let before = forbidden; // the group of the character before
  for (let at = from; at < to; ) {
    const first = bytes[at]!;
    const code = first < 0x80 ? first : pointAt(bytes, at);
    const group = code === boundary ? forbidden : groupOf(code);
    if ((group !== before || group < inherited) && at > start && isCut(before, group, rules)) {
      each(start, at);
      start = at;
    }
    before = group;
    at += first < 0x80 ? 1 : widthOf(first);
  }
  each(start, to);
}

function isCut(before: number, group: number, { splitDigits, splitByUnicodeScript, onlyAt }: SentenceRules): boolean {
  if (onlyAt !== undefined) return group === space && (before !== space || onlyAt === "spaces");
  if (before === group && group >= inherited) return false;
  if (before === forbidden || group === forbidden) return true;
  if (group === space) return true;
  if (splitDigits && (group === digit || before === digit)) return true;
  if (before === space || !splitByUnicodeScript || before === inherited || group === inherited) return false;
  return scriptGroup(before) !== scriptGroup(group);
}

/** Digits are of script Common. */
function scriptGroup(group: number): number {
  return group === digit ? common : group;
}

/** What {@link scriptOf} says of characters that go with every script. */
export const anyScript = -1;

/** A number for the script of a character, or `anyScript` for ▁ and combining marks. */
export function scriptOf(code: number): number {
  const group = groupOf(code);
  if (group === space || group === inherited) return anyScript;
  return group === forbidden ? common : scriptGroup(group);
}

/** Whether SentencePiece counts the character as a digit: ASCII's and their full-width forms. */
export function isDigit(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || (code >= 0xff10 && code <= 0xff19);
}

const groups = new Uint8Array(0x10000); // 0: not looked up yet
const astralGroups = new Map<number, number>();

function groupOf(code: number): number {
  const known = code < 0x10000 ? groups[code] : astralGroups.get(code);
  if (known) return known;
  const group = classify(code);
  if (code < 0x10000) groups[code] = group;
  else astralGroups.set(code, group);
  return group;
}

/** The scripts that SentencePiece knows, by their ISO 15924 codes, those of most text first. All others are Common. */
const scriptNames = (
  "Latn Zyyy Hani Cyrl Arab Grek Deva Hira Kana Hang Hebr Thai Beng Taml Telu Knda Mlym Gujr Guru Orya Sinh Geor Armn Ethi Khmr Laoo Mymr Tibt " +
  "Adlm Aghb Ahom Armi Avst Bali Bamu Bass Batk Bhks Bopo Brah Brai Bugi Buhd Cakm Cans Cari Cham Cher Copt Cprt Dsrt Dupl " +
  "Egyp Elba Glag Goth Gran Hano Hatr Hluw Hmng Hung Ital Java Kali Khar Khoj Kthi Lana Lepc Limb Lina Linb Lisu " +
  "Lyci Lydi Mahj Mand Mani Marc Mend Merc Mero Modi Mong Mroo Mtei Mult Narb Nbat Newa Nkoo Ogam Olck Orkh Osge Osma " +
  "Palm Pauc Perm Phag Phli Phlp Phnx Plrd Prti Rjng Runr Samr Sarb Saur Sgnw Shaw Shrd Sidd Sind Sora Sund Sylo Syrc " +
  "Tagb Takr Tale Talu Tang Tavt Tfng Tglg Thaa Tirh Ugar Vaii Wara Xpeo Xsux Yiii"
).split(" ");
const common = firstScript + scriptNames.indexOf("Zyyy");
const han = firstScript + scriptNames.indexOf("Hani");
const scripts = scriptNames.map((name) => new RegExp(`\\p{Script=${name}}`, "u"));

/** Characters that SentencePiece's table of scripts, which is older, has as Common: two that changed, and those that came later. */
const younger = rangesOf(
  "560 588-589 5ef 61c-61d 7fd-7ff 860-86a 870-891 897-89f 8b5 8be-8d3 9fc-9fe a76 afa-aff b55 c04 c3c c5c-c5d c77 c84 cdc-cdd cf3 d00 " +
    "d04 d3b-d3c d81 e86 e89 e8c e8e-e93 e98 ea0 ea8-ea9 eac eba ece 170d 1715 171f 180f 1878 1abf-1add 1ae0-1aeb 1b4c 1b4e-1b4f " +
    "1b7d-1b7f 1c89-1c8a 1c90-1cba 1cbd-1cbf 1df6-1dfa 2c2f 2c5f 312e-312f 31bb-31bf 4db6-4dbf 9fd6-9fff a7af a7b8-a7dc a7f1-a7f6 a82c " +
    "a8fe-a8ff ab66-ab69 fbc2-fbd2 fd40-fd4f fd90-fd91 fdc8-fdcf fdfe-fdff 1032d-1032f 10780-10785 10787-107b0 107b2-107ba 10a34-10a35 " +
    "10a48 10ec2-10ec7 10ed0-10ed8 10efa-10eff 11070-11075 110c2 110cd 11144-11147 111ce-111cf 1123f-11241 1133b 1145a 1145e-11461 " +
    "116b8-116b9 116d0-116e3 1171a 11740-11746 11ab0-11abf 11b00-11b09 11b60-11b67 11fb0 11fc0-11ff1 11fff 1342f-13455 13460-143fa " +
    "16f45-16f4a 16f4f 16f7f-16f87 16fe2-16fe3 16ff0-16ff6 187ed-187ff 18af3-18aff 18d00-18d1e 18d80-18df2 1aff0-1aff3 1aff5-1affb " +
    "1affd-1affe 1b002-1b122 1b132 1b150-1b152 1b155 1b164-1b167 1cf00-1cf2d 1cf30-1cf46 1df00-1df1e 1df25-1df2a 1e030-1e06d 1e08f " +
    "1e7e0-1e7e6 1e7e8-1e7eb 1e7ed-1e7ee 1e7f0-1e7fe 1e94b 2a6d7-2a6df 2b735-2b73f 2cea2-2cead 2ceb0-2ebe0 2ebf0-2ee5d 30000-3134a " +
    "31350-33479",
);

function rangesOf(listed: string): (readonly [first: number, last: number])[] {
  return listed.split(" ").map((range) => {
    const [first = "", last = first] = range.split("-");
    return [Number.parseInt(first, 16), Number.parseInt(last, 16)] as const;
  });
}

function classify(code: number): number {
  if (code === 0x20 || code === 0x2581) return space;
  if (code === 0) return forbidden;
  if (isDigit(code)) return digit;
  if (younger.some(([first, last]) => code >= first && code <= last)) return common;
  const char = String.fromCodePoint(code);
  if (/[\u30fc\p{Script=Hira}\p{Script=Kana}]/u.test(char)) return han; // Japanese words mix the three
  if (code === 0x953 || code === 0x954) return firstScript + scriptNames.indexOf("Deva");
  if (/\p{Script=Zinh}/u.test(char)) return inherited;
  const found = scripts.findIndex((script) => script.test(char));
  return found < 0 ? common : firstScript + found;
}
