// Which script tokens write: the script of the first letter in what they show, where tokens that are parts of one character are taken together.
import { validUpTo } from "../base/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";

/** Unicode's names of the scripts that are told apart. */
const names =
  "Latin Cyrillic Greek Armenian Georgian Hebrew Arabic Devanagari Bengali Gurmukhi Gujarati Oriya Tamil Telugu Kannada Malayalam Sinhala Thai Lao Tibetan Myanmar Khmer Ethiopic Cherokee Mongolian Hangul Han Hiragana Katakana Bopomofo Braille".split(
    " ",
  );
const others = "other scripts";
const noScript = "digits, signs, spaces";
const noText = "no text";
const rows = [...names, others, noScript, noText];
const [otherRow, signRow, noTextRow] = [names.length, names.length + 1, names.length + 2];

const tests = names.map((name) => new RegExp(`\\p{Script=${name}}`, "u"));
const scripted = /[^\p{Script=Common}\p{Script=Inherited}]/u;

function rowOf(text: string): number {
  const letter = scripted.exec(text)?.[0];
  if (letter === undefined) return text === "" || text.includes("\ufffd") ? noTextRow : signRow;
  const row = tests.findIndex((test) => test.test(letter));
  return row < 0 ? otherRow : row;
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
/** A token that ends within a character. */
const open = -2;

/** Finds the script that each token of a text writes. */
export class TokenScripts {
  readonly #tokenizer: Tokenizer;
  /** id → its row; -1 where it was not seen yet. */
  readonly #rows: Int8Array;
  readonly #bytes = new Float64Array(rows.length);
  readonly #tokens = new Float64Array(rows.length);

  constructor(tokenizer: Tokenizer) {
    this.#tokenizer = tokenizer;
    this.#rows = new Int8Array(tokenizer.vocabSize).fill(-1);
  }

  add(ids: Uint32Array): void {
    let pending: number[] = []; // bytes of tokens that are parts of one character
    let tokens = 0;
    const flush = () => {
      if (tokens > 0) this.#count(rowOf(decoder.decode(Uint8Array.from(pending))), pending.length, tokens);
      pending = [];
      tokens = 0;
    };
    for (const id of ids) {
      const bytes = this.#tokenizer.pieceBytes(id);
      const row = this.#rowOf(id, bytes);
      if (row >= 0) {
        flush();
        this.#count(row, bytes.length, 1);
        continue;
      }
      pending.push(...bytes);
      tokens++;
      if (validUpTo(Uint8Array.from(pending)) === pending.length || pending.length > longestOpen) flush();
    }
    flush();
  }

  /** Scripts that tokens write, those with most bytes first. */
  rows(): { readonly name: string; readonly bytes: number; readonly tokens: number }[] {
    return rows
      .map((name, i) => ({ name, bytes: this.#bytes[i]!, tokens: this.#tokens[i]! }))
      .filter(({ tokens }) => tokens > 0)
      .sort((a, b) => b.bytes - a.bytes);
  }

  #rowOf(id: number, bytes: Uint8Array): number {
    if (this.#rows[id] === -1) this.#rows[id] = validUpTo(bytes) === bytes.length ? rowOf(decoder.decode(bytes)) : open;
    return this.#rows[id]!;
  }

  #count(row: number, bytes: number, tokens: number): void {
    this.#bytes[row]! += bytes;
    this.#tokens[row]! += tokens;
  }
}

/** So many bytes that are no UTF-8 are counted together. */
const longestOpen = 64;
