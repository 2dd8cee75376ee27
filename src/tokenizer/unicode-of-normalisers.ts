// Which characters the normalisers and pre-tokenizers of huggingface/tokenizers know as what: tables of their own Unicode versions, asked of them.
import { type CodePoints, contains } from "../regex/index.ts";
import { accents, bertAccents, bertControls, punctuation, scripts, unnormalised } from "./normaliser-tables.ts";

const written = { accents, bertAccents, bertControls, punctuation, unnormalised };
const sets = new Map<string, CodePoints>();

/** The set that a table of ranges writes. */
function setOf(name: keyof typeof written): CodePoints {
  const known = sets.get(name) ?? rangesOf(written[name]);
  sets.set(name, known);
  return known;
}

function pairs(table: string): [number, number][] {
  return table.split(" ").map((pair) => {
    const [first = "", second = ""] = pair.split(",");
    return [Number.parseInt(first, 36), Number.parseInt(second, 36)];
  });
}

function rangesOf(table: string): CodePoints {
  let end = 0;
  return pairs(table).map(([gap, length]) => {
    const first = end + gap;
    end = first + length;
    return [first, end - 1] as const;
  });
}

/** The text without the characters of a set; characters below `from` stay unasked. */
function without(text: string, name: "accents" | "bertAccents" | "bertControls", from: number): string {
  const set = setOf(name);
  return Array.from(text, (char) => {
    const code = char.codePointAt(0) ?? 0;
    return code >= from && contains(set, code) ? "" : char;
  }).join("");
}

/** StripAccents takes out combining marks. */
export function withoutAccents(text: string): string {
  return without(text, "accents", 0x300);
}

/** BertNormalizer takes out nonspacing marks only, of an older Unicode. */
export function withoutBertAccents(text: string): string {
  return without(text, "bertAccents", 0x300);
}

/** A text without the characters that BertNormalizer takes for controls. */
export function withoutBertControls(text: string): string {
  return without(text, "bertControls", 0);
}

/** Whether the pre-tokenizers take a character for punctuation. */
export function isPunctuation(codePoint: number): boolean {
  return contains(setOf("punctuation"), codePoint);
}

/** Unicode's form of a text, where characters that are newer than the library stay as they are and part what is around them. */
export function inForm(text: string, form: "NFC" | "NFD" | "NFKC" | "NFKD"): string {
  const plain = text.normalize(form);
  if (plain === text) return text; // nothing changes, whichever characters are known
  const set = setOf("unnormalised");
  let out = "";
  let start = 0;
  for (let at = 0; at < text.length; ) {
    const code = text.codePointAt(at) ?? 0;
    const end = at + (code > 0xffff ? 2 : 1);
    if (code >= 0x300 && contains(set, code)) {
      out += text.slice(start, at).normalize(form) + text.slice(at, end);
      start = end;
    }
    at = end;
  }
  return start === 0 ? plain : out + text.slice(start).normalize(form);
}

interface ScriptRuns {
  /** Where every run begins, and the script of its characters. */
  readonly starts: Uint32Array;
  readonly scripts: Uint8Array;
}

let scriptRuns: ScriptRuns | undefined;

function runsOfScripts(): ScriptRuns {
  const found = pairs(scripts);
  let at = 0;
  const starts = Uint32Array.from(found, ([, length]) => {
    at += length;
    return at - length;
  });
  return { starts, scripts: Uint8Array.from(found, ([script]) => script) };
}

/** The number of a character's script; 0 for a space and what is of no script. Kana and ー count as Han, as in SentencePiece. */
export function scriptOf(codePoint: number): number {
  scriptRuns ??= runsOfScripts();
  const { starts, scripts: numbers } = scriptRuns;
  let low = 0;
  let high = starts.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((starts[middle] ?? 0) <= codePoint) low = middle;
    else high = middle;
  }
  return numbers[low] ?? 0;
}
