// Unicode's classes as Oniguruma knows them, from tables of our own: every JavaScript engine has another version of Unicode, and ids may not
// depend on it. Scripts are the engine's, of the characters that the tables know.
import { fail } from "../base/index.ts";
import { type CodePoints, codePoints, complement, contains, intersection, union } from "./code-points.ts";
import { caseGroups, characterKinds, characterRuns, severalFolded } from "./unicode-tables.ts";

/** All characters in runs of one kind: where each ends, and its place in `characterKinds`. */
interface Runs {
  readonly lasts: Int32Array;
  readonly kinds: Uint8Array;
}

let allRuns: Runs | undefined;

function runs(): Runs {
  if (allRuns !== undefined) return allRuns;
  const lasts: number[] = [];
  const kinds: number[] = [];
  let [last, number] = [-1, 0];
  // Character by character, as the engine takes ten times as long to make a string of each number: "kind,length kind,length …" in base 36.
  for (let i = 0; i <= characterRuns.length; i++) {
    const code = characterRuns.charCodeAt(i);
    if (code >= 0x30) {
      number = 36 * number + (code <= 0x39 ? code - 0x30 : code - 0x61 + 10);
      continue;
    }
    if (code === 0x2c) kinds.push(number);
    else {
      last += number;
      lasts.push(last);
    }
    number = 0;
  }
  allRuns = { lasts: Int32Array.from(lasts), kinds: Uint8Array.from(kinds) };
  return allRuns;
}

function ofKind(wanted: (category: string, flags: string) => boolean): CodePoints {
  const isWanted = characterKinds.map((kind) => wanted(kind.slice(0, 2), kind.slice(3)));
  const { lasts, kinds } = runs();
  const ranges: [number, number][] = [];
  for (let i = 0; i < kinds.length; i++) if (isWanted[kinds[i]!]) ranges.push([i === 0 ? 0 : lasts[i - 1]! + 1, lasts[i]!]);
  return codePoints(ranges);
}

/** Calls back with the general category of all characters, such as Lu, in runs in ascending order. */
export function eachCategory(each: (category: string, first: number, last: number) => void): void {
  const categories = characterKinds.map((kind) => kind.slice(0, 2));
  const { lasts, kinds } = runs();
  for (let i = 0; i < kinds.length; i++) each(categories[kinds[i]!]!, i === 0 ? 0 : lasts[i - 1]! + 1, lasts[i]!);
}

/** The general category of a character. */
export function categoryOf(point: number): string {
  const { lasts, kinds } = runs();
  let [low, high] = [0, lasts.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (lasts[middle]! < point) low = middle + 1;
    else high = middle;
  }
  return characterKinds[kinds[low]!]!.slice(0, 2);
}

const known = new Map<string, CodePoints | undefined>();

/** The set that a name stands for in `\p{…}`; undefined for a name that is not known. Case, spaces, `_` and `-` in a name do not count. */
export function property(name: string): CodePoints | undefined {
  const plain = name.toLowerCase().replace(/[ _-]/g, "");
  if (!known.has(plain)) known.set(plain, find(plain));
  return known.get(plain);
}

/** The set of a name that this file knows. */
export function named(name: string): CodePoints {
  return property(name) ?? fail("unicode", `${name} is no class: one of ${propertyNames.join(", ")} is`);
}

const longNames: Readonly<Record<string, string>> = {
  letter: "l",
  casedletter: "lc",
  uppercaseletter: "lu",
  lowercaseletter: "ll",
  titlecaseletter: "lt",
  modifierletter: "lm",
  otherletter: "lo",
  mark: "m",
  combiningmark: "m",
  nonspacingmark: "mn",
  spacingmark: "mc",
  enclosingmark: "me",
  number: "n",
  decimalnumber: "nd",
  letternumber: "nl",
  othernumber: "no",
  punctuation: "p",
  connectorpunctuation: "pc",
  dashpunctuation: "pd",
  openpunctuation: "ps",
  closepunctuation: "pe",
  initialpunctuation: "pi",
  finalpunctuation: "pf",
  otherpunctuation: "po",
  symbol: "s",
  mathsymbol: "sm",
  currencysymbol: "sc",
  modifiersymbol: "sk",
  othersymbol: "so",
  separator: "z",
  spaceseparator: "zs",
  lineseparator: "zl",
  paragraphseparator: "zp",
  other: "c",
  control: "cc",
  format: "cf",
  privateuse: "co",
  unassigned: "cn",
};

const categories = new Set(
  "l lu ll lt lm lo m mn mc me n nd nl no p pc pd ps pe pi pf po s sm sc sk so z zs zl zp c cc cf co cn".split(" "),
);

const white = (category: string) => category.startsWith("Z");
const control = (first: number, last: number): CodePoints => [[first, last]];

/** Classes that are no general category. */
const derived: Readonly<Record<string, () => CodePoints>> = {
  any: () => control(0, 0x10ffff),
  assigned: () => complement(named("cn")),
  alphabetic: () => ofKind((_, flags) => flags.includes("a")),
  alpha: () => named("alphabetic"),
  uppercase: () => ofKind((_, flags) => flags.includes("u")),
  upper: () => named("uppercase"),
  lowercase: () => ofKind((_, flags) => flags.includes("l")),
  lower: () => named("lowercase"),
  digit: () => named("nd"),
  alnum: () => union(named("alphabetic"), named("nd")),
  /** Oniguruma's \w has ² and five more of Latin-1 outside of brackets, and its \b counts these. */
  word: () =>
    union(
      named("wordinbrackets"),
      ofKind((_, flags) => flags.includes("w")),
    ),
  wordinbrackets: () =>
    ofKind((category, flags) => flags.includes("a") || category.startsWith("M") || category === "Nd" || category === "Pc"),
  whitespace: () => union(ofKind(white), control(9, 13), control(0x85, 0x85)),
  space: () => named("whitespace"),
  blank: () => union(named("zs"), control(9, 9)),
  cntrl: () => named("cc"),
  punct: () => named("p"),
  punctinbrackets: () => ofKind((category) => category.startsWith("P") || category.startsWith("S")),
  xdigit: () => codePoints([control(0x30, 0x39), control(0x41, 0x46), control(0x61, 0x66)].flat()),
  ascii: () => control(0, 0x7f),
};

/** Scripts by their names, as JavaScript spells them. */
const scripts =
  "Arabic Armenian Bengali Bopomofo Cyrillic Devanagari Ethiopic Georgian Greek Gujarati Gurmukhi Han Hangul Hebrew Hiragana Kannada Katakana Khmer Lao Latin Malayalam Mongolian Myanmar Oriya Sinhala Tamil Telugu Thaana Thai Tibetan".split(
    " ",
  );

function find(name: string): CodePoints | undefined {
  const category = longNames[name] ?? name;
  if (category === "lc") return ofKind((of) => of === "Lu" || of === "Ll" || of === "Lt");
  if (categories.has(category)) return ofKind((of) => of.toLowerCase().startsWith(category));
  if (Object.hasOwn(derived, name)) return derived[name]?.();
  const script = scripts.find((one) => one.toLowerCase() === name);
  return script === undefined ? undefined : intersection(matching(new RegExp(`\\p{Script=${script}}+`, "gu")), named("assigned"));
}

/** The names that `\p{…}` may have, for messages. */
export const propertyNames: readonly string[] = [...Object.keys(derived).filter((name) => !name.endsWith("inbrackets")), ...scripts];

/** All code points that an expression of the engine finds, in runs over a text of all code points, a plane at a time. */
function matching(expression: RegExp): CodePoints {
  const found: [number, number][] = [];
  for (let plane = 0; plane <= 0x10; plane++)
    for (const match of planeText(plane).matchAll(expression)) {
      const first = match[0].codePointAt(0) ?? 0;
      found.push([first, first + Array.from(match[0]).length - 1]);
    }
  return codePoints(found);
}

/** Surrogates stand in no text as characters: a private character takes their place. */
function planeText(plane: number): string {
  const parts: string[] = [];
  for (let block = 0; block < 0x10000; block += 0x1000) {
    const points = Array.from({ length: 0x1000 }, (_, i) => plane * 0x10000 + block + i);
    parts.push(String.fromCodePoint(...points.map((point) => (point >= 0xd800 && point <= 0xdfff ? 0xe000 : point))));
  }
  return parts.join("");
}

let casings: ReadonlyMap<number, readonly number[]> | undefined;

/** All characters that differ from a character only in case, itself included, by each character that has other cases. */
function allCasings(): ReadonlyMap<number, readonly number[]> {
  casings ??= new Map(
    caseGroups.split(" ").flatMap((group) => {
      const points = Array.from(group, (char) => char.codePointAt(0) ?? 0);
      return points.map((point) => [point, points] as const);
    }),
  );
  return casings;
}

const withCases = new WeakMap<CodePoints, CodePoints>();

/** The set with the other cases of its characters; of one set always the same object. */
export function withAllCases(set: CodePoints): CodePoints {
  const known = withCases.get(set) ?? addCases(set);
  withCases.set(set, known);
  return known;
}

function addCases(set: CodePoints): CodePoints {
  const others = [...allCasings()].filter(([point]) => contains(set, point)).flatMap(([, group]) => group);
  return union(set, codePoints(others.map((point) => [point, point] as const)));
}

let several: readonly (readonly [char: string, folding: string])[] | undefined;

/** Characters that without case are equal to several, such as ß to ss, and those. */
export function severalFoldings(): readonly (readonly [char: string, folding: string])[] {
  several ??= severalFolded.split(" ").map((entry) => {
    const [char = "", ...folding] = Array.from(entry);
    return [char, folding.join("")];
  });
  return several;
}

/** A text in the one case in which Unicode compares. */
export function foldCase(text: string): string {
  const folding = (char: string) => {
    const group = allCasings().get(char.codePointAt(0) ?? 0);
    return group === undefined ? char : String.fromCodePoint(group[0] ?? 0);
  };
  return Array.from(text, folding).join("");
}
