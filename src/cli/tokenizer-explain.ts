// cria tokenizer explain: how a text becomes ids, merge by merge
import { decodeUtf8, UsageError } from "../base/index.ts";
import { tokenizerForms } from "../open/index.ts";
import {
  type ExplainedPath,
  type ExplainedPiece,
  type ExplainedWord,
  type Explanation,
  explainer,
  type Tokenizer,
} from "../tokenizer/index.ts";
import { type Colours, coloursOf } from "./colour.ts";
import type { Command } from "./command.ts";
import { encodeFlags, encodeOptions } from "./encode-flags.ts";
import { loadTokenizer } from "./load-tokenizer.ts";
import { isFile } from "./paths.ts";

const where = "tokenizer explain";

/** Characters of a text: a line is shown for every merge, with all pieces of its word. */
const longest = 2000;

/** The command `cria tokenizer explain`. */
export const explainCommand: Command = {
  name: "explain",
  summary: "how a text becomes ids: normalised, cut into words, merged one pair after another",
  usage: "TOKENIZER TEXT|-",
  flags: encodeFlags,
  example: {
    title: `TOKENIZER is a folder, a file or hf:owner/name: ${tokenizerForms}. A line is a merge, or with a unigram model a way through the word`,
    text: "RANK  LEFT + RIGHT  the word's pieces behind the merge\nSUM   the pieces of a way, each with its score; the best way is taken\n",
  },
  async run([path, text, ...rest], flags, io) {
    if (path === undefined || text === undefined || rest.length > 0)
      throw new UsageError(where, "TOKENIZER and TEXT are needed: give a text in quotes, or - for standard input");
    const source =
      text === "-"
        ? decodeUtf8(
            await io.stdin(),
            "stdin",
            where,
            "convert it first, for example with iconv -t UTF-8, or use tokenizer encode, which takes any bytes",
          )
        : text;
    const length = Array.from(source).length;
    if (length > longest)
      throw new UsageError(where, `TEXT has ${length} characters, and every merge is shown: give at most ${longest} of them`);
    if (text !== "-" && (await isFile(text)))
      io.stderr(
        `note: ${text} is a file, but its name is explained, not what is in it: for that, give - as TEXT and the file as standard input\n`,
      );
    const tokenizer = await loadTokenizer(path, io);
    const explanation = explainer(tokenizer)(source, encodeOptions(flags));
    io.stdout(
      io.json
        ? `${JSON.stringify(asJson(source, explanation, tokenizer))}\n`
        : new Writer(tokenizer, coloursOf(io)).page(source, explanation),
    );
    return 0;
  },
};

function asJson(text: string, explanation: Explanation, tokenizer: Tokenizer) {
  return { text, ...explanation, pieces: explanation.ids.map((id) => tokenizer.idToPiece(id)) };
}

class Writer {
  readonly #tokenizer: Tokenizer;
  readonly #colours: Colours;

  constructor(tokenizer: Tokenizer, colours: Colours) {
    this.#tokenizer = tokenizer;
    this.#colours = colours;
  }

  page(text: string, { before, parts, after, overlooked, ids }: Explanation): string {
    const lines = [this.#fact("text", JSON.stringify(text))];
    if (before.length > 0) lines.push(this.#fact("in front", this.#ids(before)));
    for (const part of parts) {
      if (part.kind === "piece") lines.push(this.#fact("piece", this.#piece(part)));
      else {
        if (parts.length > 1) lines.push(this.#fact("stretch", JSON.stringify(part.source)));
        if (part.normalised !== part.source) lines.push(this.#fact("normalised", JSON.stringify(part.normalised)));
        lines.push(
          this.#fact("words", part.words.map(({ text: word }) => word).join(this.#colours.faint(" │ "))),
          ...this.#words(part.words),
        );
      }
    }
    if (after.length > 0) lines.push(this.#fact("behind", this.#ids(after)));
    for (const id of new Set(overlooked))
      lines.push(this.#fact("not taken", `${this.#shown(id)}: a special piece is plain text without --special`));
    return [...lines, this.#fact("ids", ids.length === 0 ? "none" : ids.join(" "))].map((line) => `${line}\n`).join("");
  }

  #fact(name: string, value: string): string {
    return `${this.#colours.faint(name.padEnd(11))}${value}`;
  }

  #shown(id: number): string {
    return `${id} ${this.#colours.magenta(JSON.stringify(this.#tokenizer.idToPiece(id)))}`;
  }

  #piece({ id, isSpecial, matching }: ExplainedPiece): string {
    const why = isSpecial ? "a special piece, which was asked for" : "an added piece, which is found in any text before all else";
    const along = [
      ...(matching?.lstrip ? ["takes the white space in front along"] : []),
      ...(matching?.rstrip ? ["takes the white space behind along"] : []),
      ...(matching?.singleWord ? ["where no word touches it"] : []),
      ...(matching?.normalized ? ["in the normalised text"] : []),
    ];
    return [`${this.#shown(id)}: ${why}`, ...along].join(", ");
  }

  /** A word that comes again is not explained again. */
  #words(words: readonly ExplainedWord[]): string[] {
    const known = new Set<string>();
    return words.flatMap((word) => {
      if (known.has(word.text)) return [];
      known.add(word.text);
      return this.#word(word);
    });
  }

  #word(word: ExplainedWord): string[] {
    const { strong, green } = this.#colours;
    const head = `${strong(word.text)}  ${word.symbols.length > 1 ? word.symbols.join(" ") : ""}`.trimEnd();
    const width = Math.max(...word.merges.map(({ rank }) => rankText(rank).length), 0);
    const joins = word.merges.map(({ left, right }) => `${left} + ${right}`);
    const joinWidth = Math.max(...joins.map((join) => Array.from(join).length), 0);
    const merges = word.merges.map(({ left, right, rank, symbols }, i) => {
      const before = word.merges[i - 1]?.symbols ?? word.symbols;
      const at = symbols.findIndex((symbol, k) => symbol !== before[k]);
      const shown = symbols.map((symbol, k) => (k === at ? green(symbol) : symbol)).join(" ");
      return `  ${rankText(rank).padStart(width)}  ${padded(`${left} + ${right}`, joinWidth)}  ${shown}`;
    });
    const whole = word.isWhole ? ["  the word is a piece, and is taken as it is (ignore_merges)"] : [];
    return [head, ...whole, ...merges, ...(word.paths ?? []).map((path, i) => this.#path(path, i === 0)), `  → ${this.#ids(word.ids)}`];
  }

  #path({ pieces, scores, sum }: ExplainedPath, isBest: boolean): string {
    const all = pieces.map((piece, i) => `${piece} ${this.#colours.faint(scores[i]!.toFixed(3))}`).join("  ");
    return `  ${isBest ? this.#colours.green(sum.toFixed(3)) : sum.toFixed(3)}  ${all}`;
  }

  #ids(ids: readonly number[]): string {
    const { yellow, faint } = this.#colours;
    const { unkId } = this.#tokenizer;
    return ids
      .map((id) => {
        const piece = JSON.stringify(this.#tokenizer.idToPiece(id));
        return `${id} ${id === unkId || this.#tokenizer.isByte(id) ? yellow(piece) : faint(piece)}`;
      })
      .join("  ");
  }
}

function rankText(rank: number): string {
  return Number.isInteger(rank) ? String(rank) : rank.toFixed(3);
}

function padded(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - Array.from(text).length));
}
