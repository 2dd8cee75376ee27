// Keys of lines as CCNet compares them (Wenzek et al. 2020, arXiv 1911.00359, section 3.1; facebookresearch/cc_net, text_normalizer.py,
// normalize_for_dedup): without white space at the ends, in small letters, digits as 0, some marks and control characters left out.
import { characterClass } from "../../regex/index.ts";
import { characterFlags, spaceFlag } from "./characters.ts";
import { type KeyList, UnitHash } from "./key-list.ts";
import { plainMarks } from "./plain-marks.ts";
import { strip } from "./python-text.ts";

const gone = 0;

let table: Uint16Array | undefined;

/** What becomes of each unit below the surrogates and of those above: a unit, or 0 where it goes. */
function normalisedUnits(): Uint16Array {
  table ??= makeTable();
  return table;
}

function makeTable(): Uint16Array {
  const units = Uint16Array.from({ length: 0x10000 }, (_, unit) => unit);
  for (const set of ["Lu", "Lt", "upper"])
    for (const [first, last] of characterClass(set))
      for (let point = first; point <= Math.min(last, 0xffff); point++)
        units[point] = String.fromCharCode(point).toLowerCase().charCodeAt(0);
  for (const [first, last] of characterClass("Nd")) for (let point = first; point <= Math.min(last, 0xffff); point++) units[point] = 0x30;
  for (let control = 0; control < 0x20; control++) units[control] = gone;
  for (let control = 0x7f; control < 0xa0; control++) units[control] = gone;
  for (const mark of plainMarks.keys()) units[mark.charCodeAt(0)] = gone;
  return units;
}

/** What a small letter follows from the letters around it, or is two: Σ and İ; and whether a unit is half of a character. */
const unusual = /[\u0130\u03a3\ud800-\udfff]/;

/** A line as CCNet compares it. */
export function normaliseLine(line: string): string {
  const units = normalisedUnits();
  let text = "";
  for (const character of strip(line).toLowerCase()) {
    if (character.length === 1) text += units[character.charCodeAt(0)] === gone ? "" : digitOf(character, units);
    else text += isDigit(character) ? "0" : character;
  }
  return text;
}

function digitOf(character: string, units: Uint16Array): string {
  return units[character.charCodeAt(0)] === 0x30 ? "0" : character;
}

const digits = /^\p{Nd}$/u;

function isDigit(character: string): boolean {
  return digits.test(character);
}

/** Adds the key of every line of a text, empty ones included, in their order; lines end with "\n" alone. */
export function addLineKeys(text: string, keys: KeyList): void {
  const units = normalisedUnits();
  const flags = characterFlags();
  const hash = new UnitHash();
  const isUnusual = unusual.test(text);
  for (let start = 0; start <= text.length; ) {
    const found = text.indexOf("\n", start);
    const end = found < 0 ? text.length : found;
    if (isUnusual && unusual.test(text.slice(start, end))) {
      const line = normaliseLine(text.slice(start, end));
      for (let at = 0; at < line.length; at++) hash.unit(line.charCodeAt(at));
    } else {
      let [first, last] = [start, end];
      while (first < last && (flags[text.charCodeAt(first)]! & spaceFlag) !== 0) first++;
      while (last > first && (flags[text.charCodeAt(last - 1)]! & spaceFlag) !== 0) last--;
      for (let at = first; at < last; at++) {
        const unit = units[text.charCodeAt(at)]!;
        if (unit !== gone) hash.unit(unit);
      }
    }
    hash.end(keys);
    start = end + 1;
  }
}
