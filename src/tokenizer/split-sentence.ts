// Cutting a line for SentencePiece training: where its trainer lets no piece reach across (sentencepiece, trainer_interface.cc,
// SplitIntoWords and IsValidSentencePiece), the line can be cut beforehand.

export interface SentenceRules {
  readonly splitDigits: boolean;
  readonly splitByUnicodeScript: boolean;
}

const forbidden = 1;
const digit = 2;
const inherited = 3;
const space = 4;
const firstScript = 5;

/** Calls back with the parts of one line, in order. Spaces stand before the word they belong to; what no piece may hold is left away. */
export function eachSentencePart(line: string, rules: SentenceRules, each: (part: string) => void): void {
  let start = 0;
  let before = forbidden; // what ends the part so far; a resolved script, space or digit
  for (let at = 0; at < line.length; ) {
    const code = line.codePointAt(at)!;
    const width = code > 0xffff ? 2 : 1;
    const own = groupOf(code);
    const group = own === inherited && before >= firstScript ? before : own;
    if (group === forbidden || isCut(before, group, rules)) {
      if (at > start) each(line.slice(start, at));
      start = group === forbidden ? at + width : at;
    }
    before = group;
    at += width;
  }
  if (start < line.length) each(line.slice(start));
}

function isCut(before: number, group: number, { splitDigits, splitByUnicodeScript }: SentenceRules): boolean {
  if (before === forbidden) return false;
  if (group === space) return before !== space;
  if (splitDigits && (group === digit || before === digit)) return true;
  if (before === space || !splitByUnicodeScript || before === inherited) return false;
  return scriptGroup(before) !== scriptGroup(group);
}

/** Digits are of script Common. */
function scriptGroup(group: number): number {
  return group === digit ? common : group;
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

/** Scripts by their ISO 15924 codes, those of most text first. An engine with an older Unicode may lack the youngest. */
const scriptNames = (
  "Latn Zyyy Hani Cyrl Arab Grek Deva Hira Kana Hang Hebr Thai Beng Taml Telu Knda Mlym Gujr Guru Orya Sinh Geor Armn Ethi Khmr Laoo Mymr Tibt " +
  "Adlm Aghb Ahom Armi Avst Bali Bamu Bass Batk Bhks Bopo Brah Brai Bugi Buhd Cakm Cans Cari Cham Cher Chrs Copt Cpmn Cprt Diak Dogr Dsrt Dupl " +
  "Egyp Elba Elym Glag Gong Gonm Goth Gran Hano Hatr Hluw Hmng Hmnp Hung Ital Java Kali Kawi Khar Khoj Kits Kthi Lana Lepc Limb Lina Linb Lisu " +
  "Lyci Lydi Mahj Maka Mand Mani Marc Medf Mend Merc Mero Modi Mong Mroo Mtei Mult Nagm Nand Narb Nbat Newa Nkoo Nshu Ogam Olck Orkh Osge Osma " +
  "Ougr Palm Pauc Perm Phag Phli Phlp Phnx Plrd Prti Rjng Rohg Runr Samr Sarb Saur Sgnw Shaw Shrd Sidd Sind Sogd Sogo Sora Soyo Sund Sylo Syrc " +
  "Tagb Takr Tale Talu Tang Tavt Tfng Tglg Thaa Tirh Tnsa Toto Ugar Vaii Vith Wara Wcho Xpeo Xsux Yezi Yiii Zanb"
).split(" ");
const common = firstScript + scriptNames.indexOf("Zyyy");
const han = firstScript + scriptNames.indexOf("Hani");

let scripts: readonly (RegExp | undefined)[] | undefined;

function classify(code: number): number {
  if (code === 0x20) return space;
  const char = String.fromCodePoint(code);
  // NUL, line ends and tabs; ▁ and U+2585, which SentencePiece keeps for itself; lone surrogates.
  if (/[\0\t\n\u2581\u2585]|\p{Cs}/u.test(char)) return forbidden;
  if (/\p{Nd}/u.test(char)) return digit;
  if (/[\u30fc\p{Script=Hira}\p{Script=Kana}]/u.test(char)) return han; // Japanese words mix the three
  if (/\p{Script=Zinh}/u.test(char)) return inherited;
  scripts ??= scriptNames.map(scriptPattern);
  const found = scripts.findIndex((script) => script?.test(char));
  return found < 0 ? firstScript + scriptNames.length : firstScript + found;
}

function scriptPattern(name: string): RegExp | undefined {
  try {
    return new RegExp(`\\p{Script=${name}}`, "u");
  } catch {
    return undefined;
  }
}
