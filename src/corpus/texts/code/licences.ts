// Which licence a text is under: what an SPDX header says (SPDX 3.0, annex E), what its words share with the well-known licences, or what a notice names.
import { licenceHashes } from "./licence-hashes.ts";

/** Words of an n-gram. */
const gramWords = 5;
/** A licence is in a text that has so large a share of its n-grams: names and years differ. */
const leastShare = 0.7;
/** An n-gram of a licence that a text lacks counts against it by this much of one that it has: BSD's texts hold each other. */
const lackWeight = 0.5;
/** A licence that shares more of its n-grams with one that was found is that one once more. */
const mostOverlap = 0.6;
/** A file whose licences explain a smaller share of its n-grams has more terms than theirs. */
const leastExplained = 0.6;
/** What SPDX calls a licence that has no name there. */
const otherTerms = "LicenseRef-other";
/** Characters of a licence file that may be a notice in place of the text. */
const noticeLength = 2000;
/** Where in a file of code an SPDX header or a notice stands. */
const headLength = 1 << 13;

/** Names of files that hold licences. */
export const licenceFile = /^(un)?licen[cs]e([.-].*)?$|^copying([.-].*)?$|^mit-licen[cs]e/i;

interface Known {
  readonly id: string;
  /** Only hashes that this divides are kept, so that a long licence has no more than a short one. */
  readonly divisor: number;
  readonly hashes: ReadonlySet<number>;
  /** Its n-grams in all, about. */
  readonly length: number;
}

let known: readonly Known[] | undefined;

function knownLicences(): readonly Known[] {
  known ??= Object.entries(licenceHashes).map(([id, [divisor, base64]]) => {
    const bytes = Buffer.from(base64, "base64");
    const hashes = new Set(Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readUInt32LE(4 * i)));
    return { id, divisor, hashes, length: divisor * hashes.size };
  });
  return known;
}

/** Hashes of the n-grams of a text's words in small letters (FNV-1a). Lines of copyright are left out. */
export function gramHashes(text: string): Set<number> {
  const words =
    text
      .replace(/^.*\bcopyright\b.{0,30}(\(c\)|©|\d{4}|<|\[).*$/gim, "")
      .toLowerCase()
      .match(/[a-z0-9]+/g) ?? [];
  const hashes = new Set<number>();
  for (let i = 0; i + gramWords <= words.length; i++) {
    let hash = 0x811c9dc5;
    for (const word of words.slice(i, i + gramWords)) {
      for (let k = 0; k < word.length; k++) hash = Math.imul(hash ^ word.charCodeAt(k), 0x01000193);
      hash = Math.imul(hash ^ 0x20, 0x01000193);
    }
    hashes.add(hash >>> 0);
  }
  return hashes;
}

/**
 * The licence of a file that holds nothing else, as an SPDX expression: further terms in it count as another one. A file of a few lines may name its
 * licence as a notice does, in place of the text. Undefined where none is known.
 */
export function licenceOfFile(text: string): string | undefined {
  const hashes = gramHashes(text);
  const found = licencesIn(hashes);
  const explained = found.reduce((sum, { licence: { divisor, hashes: own }, share }) => sum + divisor * own.size * share, 0);
  const all = [...found.map(({ licence }) => licence.id), ...(explained < leastExplained * hashes.size ? [otherTerms] : [])];
  if (found.length === 0 && text.length <= noticeLength) return ownLicence(text);
  return found.length === 0 ? undefined : all.join(" AND ");
}

interface Found {
  readonly licence: Known;
  readonly share: number;
}

/** The licences whose texts are in a text, none that another one holds. */
function licencesIn(hashes: ReadonlySet<number>): readonly Found[] {
  const score = ({ licence, share }: Found) => licence.length * (share - lackWeight * (1 - share));
  const all = knownLicences().map((licence) => ({ licence, share: shareOf(licence.hashes, hashes) }));
  let open = all.filter(({ share }) => share >= leastShare).sort((a, b) => score(b) - score(a));
  const found: Found[] = [];
  for (let [best] = open; best !== undefined; [best] = open) {
    const { licence } = best;
    found.push(best);
    open = open.filter((other) => other.licence !== licence && overlap(other.licence, licence) <= mostOverlap);
  }
  return found;
}

function shareOf(part: ReadonlySet<number>, whole: ReadonlySet<number>): number {
  let shared = 0;
  for (const hash of part) if (whole.has(hash)) shared++;
  return shared / part.size;
}

/** The share of a licence's n-grams that are another's, of the hashes that both keep. */
function overlap(one: Known, other: Known): number {
  const kept = [...one.hashes].filter((hash) => hash % other.divisor === 0);
  return kept.length === 0 ? 0 : shareOf(new Set(kept), other.hashes);
}

/** Notices by which files of code refer to a licence. */
const notices: readonly (readonly [RegExp, string])[] = [
  [/\bapache licen[cs]e,?\s+version 2\.0/i, "Apache-2.0"],
  [/\bgnu affero general public licen[cs]e/i, "AGPL-3.0-or-later"],
  [/\bgnu (?:lesser|library) general public licen[cs]e/i, "LGPL-2.1-or-later"],
  [/\bgnu general public licen[cs]e/i, "GPL-2.0-or-later"],
  [/\bmozilla public licen[cs]e,? (?:version|v\.?) ?2\.0/i, "MPL-2.0"],
  [/\beclipse public licen[cs]e/i, "EPL-2.0"],
  [/\b(?:under|by) (?:the terms of )?(?:the|an?) mit[- ](?:style )?licen[cs]e/i, "MIT"],
  [/\bboost software licen[cs]e/i, "BSL-1.0"],
];

/** What a file of code says of its own licence near its beginning; undefined where it says nothing. */
export function ownLicence(code: string): string | undefined {
  const head = code.slice(0, headLength);
  const header = /SPDX-License-Identifier:([^\r\n]*)/
    .exec(head)?.[1]
    ?.trimEnd()
    .replace(/(?:\*\/|-->|\*\))$/, "");
  const named = header === undefined ? undefined : /^[\w.+() \t-]+/.exec(header)?.[0].trim();
  if (named) return named;
  const words = head.replace(/^[\s*#/;%!-]+/gm, "\n").replace(/\s+/g, " ");
  if (!/licen[cs]e|permission|redistribut/i.test(words)) return undefined;
  const texts = licencesIn(gramHashes(head.replace(/^[\s*#/;%!-]+/gm, "")));
  return texts.length > 0 ? texts.map(({ licence }) => licence.id).join(" AND ") : notices.find(([notice]) => notice.test(words))?.[1];
}
