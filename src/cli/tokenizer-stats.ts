// cria tokenizer stats: how well a tokenizer fits texts
import { UsageError } from "../base/index.ts";
import { FastTextClassifier, readFastText } from "../fasttext/index.ts";
import { readWhole } from "../files/index.ts";
import { tokenizerForms } from "../open/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import type { Command, Flags } from "./command.ts";
import { booleanFlag, stringFlag } from "./flag-values.ts";
import { loadTokenizer } from "./load-tokenizer.ts";
import { formsHelp, openAndTell, partsOf, textFlags, textOptions } from "./text-flags.ts";
import { TokenScripts } from "./token-scripts.ts";

const where = "tokenizer stats";

/** Pieces that are shown of each list. */
const shown = 10;

/** The command `cria tokenizer stats`. */
export const statsCommand: Command = {
  name: "stats",
  summary: "bytes per token of texts and of their scripts, unused and longest pieces, bytes and unknowns",
  usage: "TOKENIZER TEXT...",
  flags: [
    { name: "special", type: "boolean", help: "special pieces spelled out in a text become their ids" },
    {
      name: "languages",
      type: "string",
      value: "FILE",
      help: "a classifier of fastText's (.bin, .ftz), such as lid.176: bytes per token by the language of each document, too",
    },
    ...textFlags,
  ],
  example: {
    title: `TOKENIZER is a folder, a file or hf:owner/name: ${tokenizerForms}; a TEXT, which gets a row, is a file, folder, pattern or -`,
    text: formsHelp,
  },
  async run([path, ...paths], flags, io) {
    if (path === undefined) throw new UsageError(where, `TOKENIZER is missing: name a folder, a file or hf:owner/name: ${tokenizerForms}`);
    if (paths.length === 0) throw new UsageError(where, "no texts: name files, folders or patterns, or - for standard input");
    const reading = textOptions(flags, where);
    const options = { parseSpecial: booleanFlag(flags, "special") };
    const tokenizer = await loadTokenizer(path, io);
    const counter = new Counter(tokenizer, await openClassifier(flags));
    const texts: Row[] = [];
    for (const name of paths) {
      const row = { name, bytes: 0, tokens: 0, byteTokens: 0, unknownTokens: 0 };
      await using opened = await openAndTell([name], reading, io, where);
      for await (const text of partsOf(opened, io)) counter.add(text, tokenizer.encode(text, options), row);
      texts.push(row);
    }
    const found = counter.found(texts);
    io.stdout(io.json ? `${JSON.stringify(found)}\n` : asText(found));
    return 0;
  },
};

async function openClassifier(flags: Flags): Promise<FastTextClassifier | undefined> {
  const path = stringFlag(flags, "languages");
  return path === undefined
    ? undefined
    : new FastTextClassifier(readFastText(path, await readWhole(path, where, "classifier"), { takesBytes: true }));
}

/** What one text, all texts, or the characters of one script come to. */
interface Row {
  readonly name: string;
  bytes: number;
  tokens: number;
  /** Tokens that stand for one byte of a character that has no piece. */
  byteTokens: number;
  unknownTokens: number;
}

/** What the documents of one language come to. */
interface LanguageRow {
  readonly name: string;
  documents: number;
  bytes: number;
  tokens: number;
}

interface PieceCount {
  readonly id: number;
  readonly piece: string;
  readonly count: number;
}

interface Found {
  readonly texts: readonly Row[];
  readonly all: Row;
  readonly scripts: readonly Pick<Row, "name" | "bytes" | "tokens">[];
  /** Documents by their language, those with most text first; absent where nothing was asked for. */
  readonly languages?: readonly LanguageRow[];
  /** Pieces that text can become, and how many of them did. */
  readonly pieces: number;
  readonly used: number;
  readonly unused: readonly number[];
  readonly unusedExamples: readonly string[];
  readonly longest: readonly PieceCount[];
}

class Counter {
  readonly #tokenizer: Tokenizer;
  readonly #counts: Float64Array;
  readonly #scripts: TokenScripts;
  readonly #classifier: FastTextClassifier | undefined;
  readonly #languages = new Map<string, LanguageRow>();

  constructor(tokenizer: Tokenizer, classifier: FastTextClassifier | undefined) {
    this.#tokenizer = tokenizer;
    this.#classifier = classifier;
    this.#counts = new Float64Array(tokenizer.vocabSize);
    this.#scripts = new TokenScripts(tokenizer);
  }

  add(text: string, ids: Uint32Array, row: Row): void {
    const bytes = Buffer.byteLength(text);
    row.bytes += bytes;
    row.tokens += ids.length;
    if (this.#classifier !== undefined) this.#addLanguage(this.#classifier.classify(text)[0]?.label ?? "unknown", bytes, ids.length);
    for (const id of ids) {
      this.#counts[id]!++;
      if (id === this.#tokenizer.unkId) row.unknownTokens++;
      else if (this.#tokenizer.isByte(id)) row.byteTokens++;
    }
    this.#scripts.add(ids);
  }

  #addLanguage(name: string, bytes: number, tokens: number): void {
    const row = this.#languages.get(name) ?? { name, documents: 0, bytes: 0, tokens: 0 };
    row.documents++;
    row.bytes += bytes;
    row.tokens += tokens;
    this.#languages.set(name, row);
  }

  found(texts: readonly Row[]): Found {
    const { model } = this.#tokenizer;
    const apart = new Set([...model.specials, ...(model.added ?? []), ...(model.unused ?? [])]);
    const ids = [...model.pieces.keys()].filter((id) => !apart.has(id) && !this.#tokenizer.isByte(id));
    const unused = ids.filter((id) => this.#counts[id] === 0);
    const bytesOf = (id: number) => this.#tokenizer.pieceBytes(id).length;
    const byLength = (a: number, b: number) => bytesOf(b) - bytesOf(a);
    const used = ids.filter((id) => this.#counts[id]! > 0).sort(byLength);
    return {
      texts,
      all: texts.reduce(added, { name: "all", bytes: 0, tokens: 0, byteTokens: 0, unknownTokens: 0 }),
      scripts: this.#scripts.rows(),
      ...(this.#classifier !== undefined && { languages: [...this.#languages.values()].sort((a, b) => b.bytes - a.bytes) }),
      pieces: ids.length,
      used: used.length,
      unused,
      unusedExamples: [...unused]
        .sort(byLength)
        .slice(0, shown)
        .map((id) => model.pieces[id]!),
      longest: used.slice(0, shown).map((id) => ({ id, piece: model.pieces[id]!, count: this.#counts[id]! })),
    };
  }
}

function added(sum: Row, row: Row): Row {
  return {
    name: sum.name,
    bytes: sum.bytes + row.bytes,
    tokens: sum.tokens + row.tokens,
    byteTokens: sum.byteTokens + row.byteTokens,
    unknownTokens: sum.unknownTokens + row.unknownTokens,
  };
}

function asText({ texts, all, scripts, languages, pieces, used, unused, unusedExamples, longest }: Found): string {
  const rows = texts.length > 1 ? [...texts, all] : texts;
  const head = ["", "bytes", "tokens", "bytes per token", "byte tokens", "unknown"];
  const table = rows.map((row) => [...sizes(row), share(row.byteTokens, row.tokens), share(row.unknownTokens, row.tokens)]);
  const list = (all: readonly string[]) => (all.length === 0 ? "none" : all.join(" "));
  const facts = [
    `pieces: ${count(used)} of ${count(pieces)} used, ${count(unused.length)} (${share(unused.length, pieces)}) not`,
    `longest not used: ${list(unusedExamples.map((piece) => JSON.stringify(piece)))}`,
    `longest used: ${list(longest.map(({ piece, count: times }) => `${JSON.stringify(piece)} × ${count(times)}`))}`,
  ];
  const byLanguage = languages?.map((row) => [...sizes(row), count(row.documents)]);
  return [
    aligned([head, ...table]),
    aligned([["script", ...head.slice(1, 4)], ...scripts.map(sizes)]),
    ...(byLanguage === undefined ? [] : [aligned([["language", ...head.slice(1, 4), "documents"], ...byLanguage])]),
    `${facts.join("\n")}\n`,
  ].join("\n");
}

function sizes({ name, bytes, tokens }: Pick<Row, "name" | "bytes" | "tokens">): string[] {
  return [name, count(bytes), count(tokens), tokens === 0 ? "–" : (bytes / tokens).toFixed(2)];
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}

function share(part: number, whole: number): string {
  return whole === 0 ? "–" : `${((100 * part) / whole).toFixed(part === 0 ? 0 : 2)} %`;
}

/** The first column to the left, numbers to the right. */
function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  const line = (row: readonly string[]) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  ");
  return rows.map((row) => `${line(row).trimEnd()}\n`).join("");
}
