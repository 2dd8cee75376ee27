// A text as CCNet's language models read it (Wenzek et al. 2020, arXiv 1911.00359; facebookresearch/cc_net, text_normalizer.py, normalize): without white
// space at the ends, in small letters, without accents, digits as 0, marks of punctuation as ASCII's, without control characters, line ends among them.
import { characterClass, contains } from "../../regex/index.ts";
import { plainMarks } from "./plain-marks.ts";
import { strip } from "./python-text.ts";

/** What a unit becomes, as the unit, where that is one unit; else it is looked up. */
const lookedUp = 0;

/** Marks that Unicode's decomposition may move past others, but that are no accents: texts with them are decomposed as a whole. */
const movable =
  /[\u1715\u1734\u1b44\u1baa\u1bf2\u1bf3\u302e\u302f\ua953\ua9c0\u{111c0}\u{11235}\u{1134d}\u{116b6}\u{1193d}\u{16ff0}\u{16ff1}\u{1d165}\u{1d166}\u{1d16d}-\u{1d172}]/u;

let units: Uint16Array | undefined;
const others = new Map<string, string>();

/** The text as CCNet's language models read it. */
export function plainText(text: string): string {
  const small = strip(text).toLowerCase();
  if (movable.test(small)) return Array.from(small.normalize("NFD"), plainCharacter).join("");
  units ??= Uint16Array.from({ length: 0x10000 }, (_, unit) => plainUnit(unit));
  let [plain, from] = ["", 0];
  for (let at = 0; at < small.length; at++) {
    const unit = small.charCodeAt(at);
    if (units[unit] === unit && unit !== lookedUp) continue;
    plain += small.slice(from, at);
    from = at + 1;
    if (units[unit] !== lookedUp) plain += String.fromCharCode(units[unit]!);
    else {
      const character = String.fromCodePoint(small.codePointAt(at)!);
      plain += plainOf(character);
      at += character.length - 1;
      from = at + 1;
    }
  }
  return from === 0 ? small : plain + small.slice(from);
}

function plainUnit(unit: number): number {
  const plain = plainCharacters(String.fromCharCode(unit));
  return plain.length === 1 && (unit & 0xf800) !== 0xd800 ? plain.charCodeAt(0) : lookedUp;
}

/** What a character becomes, kept where it has been asked for. */
function plainOf(character: string): string {
  let plain = others.get(character);
  if (plain === undefined) {
    plain = plainCharacters(character);
    others.set(character, plain);
  }
  return plain;
}

/** What a small letter or any other character becomes. */
function plainCharacters(character: string): string {
  return Array.from(character.normalize("NFD"), plainCharacter).join("");
}

/** What a character that cannot be decomposed becomes. */
function plainCharacter(character: string): string {
  const point = character.codePointAt(0)!;
  if (point < 0x20 || (point >= 0x7f && point < 0xa0) || contains(characterClass("Mn"), point)) return "";
  return contains(characterClass("Nd"), point) ? "0" : (plainMarks.get(character) ?? character);
}
