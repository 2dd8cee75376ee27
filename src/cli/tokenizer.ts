// cria tokenizer: train, encode, decode, inspect, convert, extend, cut, compare, chat
import { UsageError } from "../base/index.ts";
import type { TextOptions } from "../corpus/index.ts";
import { tokenizerForms } from "../open/index.ts";
import { encodeStream, type StreamEncodeOptions, type Tokenizer } from "../tokenizer/index.ts";
import type { Command, CommandGroup, CommandIo, Flags } from "./command.ts";
import { booleanFlag, stringFlag } from "./flag-values.ts";
import { loadTokenizer } from "./load-tokenizer.ts";
import { openAndTell, optionalTextOptions, partsOf, textFlags } from "./text-flags.ts";
import { chatCommand } from "./tokenizer-chat.ts";
import { compareCommand } from "./tokenizer-compare.ts";
import { convertCommand } from "./tokenizer-convert.ts";
import { cutCommand } from "./tokenizer-cut.ts";
import { extendCommand } from "./tokenizer-extend.ts";
import { trainCommand } from "./tokenizer-train.ts";

const encodeCommand: Command = {
  name: "encode",
  summary: "text to token ids",
  usage: "TOKENIZER [TEXT|-]",
  flags: [
    { name: "pieces", type: "boolean", help: "print the pieces beside the ids, one per line" },
    { name: "template", type: "boolean", help: "put around the text what the tokenizer puts around a prompt: often the begin-of-text id" },
    { name: "bos", type: "boolean", help: "put the begin-of-text id in front, whatever the template" },
    { name: "eos", type: "boolean", help: "put the end-of-text id behind, whatever the template" },
    { name: "special", type: "boolean", help: "special pieces spelled out in the text become their ids" },
  ],
  async run([path, text, ...rest], flags, io) {
    const tokenizer = await open(path, "tokenizer encode", io);
    if (rest.length > 0) throw new UsageError("tokenizer encode", "more than one TEXT: quote it, or pipe it in");
    const options = encodeOptions(flags);
    const isPiped = text === undefined || text === "-";
    if (text === undefined && process.stdin.isTTY)
      throw new UsageError("tokenizer encode", "TEXT is missing: give it in quotes, pipe it in, or type it behind a -");
    const parts = encodeStream(tokenizer, isPiped ? io.stdinChunks() : [text], options);
    const withPieces = booleanFlag(flags, "pieces");
    if (io.json) await printJson(parts, withPieces ? tokenizer : undefined, io);
    else if (withPieces) for await (const ids of parts) io.stdout(pieceLines(ids, tokenizer));
    else await printList(parts, " ", io).then(() => io.stdout("\n"));
    return 0;
  },
};

type Parts = AsyncIterable<Uint32Array>;

/** Prints the ids as they come, and with a tokenizer their pieces, too, for which they are kept. */
async function printJson(parts: Parts, tokenizer: Tokenizer | undefined, io: CommandIo): Promise<void> {
  io.stdout('{"ids":[');
  const kept = await printList(parts, ",", io, tokenizer !== undefined);
  io.stdout("]");
  if (tokenizer !== undefined) {
    io.stdout(',"pieces":[');
    let first = true;
    for (const ids of kept) {
      io.stdout((first ? "" : ",") + Array.from(ids, (id) => JSON.stringify(tokenizer.idToPiece(id))).join(","));
      first = false;
    }
    io.stdout("]");
  }
  io.stdout("}\n");
}

/** @returns the parts where they are to be kept */
async function printList(parts: Parts, separator: string, io: CommandIo, keeps = false): Promise<Uint32Array[]> {
  const kept: Uint32Array[] = [];
  let first = true;
  for await (const ids of parts) {
    io.stdout((first ? "" : separator) + ids.join(separator));
    first = false;
    if (keeps) kept.push(ids);
  }
  return kept;
}

function pieceLines(ids: Uint32Array, tokenizer: Tokenizer): string {
  return Array.from(ids, (id) => `${id}\t${JSON.stringify(tokenizer.idToPiece(id))}\n`).join("");
}

function encodeOptions(flags: Flags): StreamEncodeOptions {
  const isOn = (name: string) => booleanFlag(flags, name);
  return { template: isOn("template"), bos: isOn("bos"), eos: isOn("eos"), parseSpecial: isOn("special") };
}

const decodeCommand: Command = {
  name: "decode",
  summary: "token ids to text",
  usage: "TOKENIZER IDS...|-",
  flags: [{ name: "special", type: "boolean", help: "spell special pieces out instead of omitting them" }],
  async run([path, ...words], flags, io) {
    const tokenizer = await open(path, "tokenizer decode", io);
    if (words.length === 0 && process.stdin.isTTY)
      throw new UsageError("tokenizer decode", "IDS are missing: give some, pipe them in, or type them behind a -");
    const isPiped = words.length === 0 || (words.length === 1 && words[0] === "-");
    const ids = parseIds(isPiped ? [new TextDecoder().decode(await io.stdin())] : words);
    const text = tokenizer.decode(ids, { specials: booleanFlag(flags, "special") });
    io.stdout(io.json ? `${JSON.stringify({ text })}\n` : `${text}\n`);
    return 0;
  },
};

const inspectCommand: Command = {
  name: "inspect",
  summary: "what a tokenizer holds, and how well it fits a text",
  usage: "TOKENIZER [--text FILE]",
  flags: [
    { name: "text", type: "string", value: "FILE", help: "count the tokens of this text: a file, folder or pattern, or -" },
    ...textFlags,
  ],
  async run([path, ...rest], flags, io) {
    if (rest.length > 0)
      throw new UsageError("tokenizer inspect", `"${rest[0]}" is one too many: name one tokenizer, and a text with --text FILE`);
    const text = stringFlag(flags, "text");
    const reading = optionalTextOptions(flags, "tokenizer inspect", text !== undefined);
    const tokenizer = await open(path, "tokenizer inspect", io);
    const facts = { ...describe(tokenizer), ...(text === undefined ? {} : { text: await measure(tokenizer, text, reading, io) }) };
    io.stdout(io.json ? `${JSON.stringify(facts)}\n` : asText(facts, tokenizer));
    return 0;
  },
};

export const tokenizerCommand: CommandGroup = {
  name: "tokenizer",
  summary: "train a tokenizer and use it",
  commands: [
    trainCommand,
    encodeCommand,
    decodeCommand,
    inspectCommand,
    convertCommand,
    extendCommand,
    cutCommand,
    compareCommand,
    chatCommand,
  ],
};

function open(path: string | undefined, where: string, io: CommandIo): Promise<Tokenizer> {
  if (path === undefined) throw new UsageError(where, `TOKENIZER is missing: name a folder or a file: ${tokenizerForms}`);
  return loadTokenizer(path, io);
}

/** Whole numbers, separated by white space, commas or brackets. */
function parseIds(words: readonly string[]): number[] {
  const parts = words.flatMap((word) => word.split(/[\s,[\]]+/)).filter((part) => part !== "");
  const odd = parts.find((part) => !/^\d+$/.test(part));
  if (odd !== undefined) throw new UsageError("tokenizer decode", `"${odd}" is no token id: give whole numbers`);
  return parts.map(Number);
}

function describe(tokenizer: Tokenizer) {
  const { model } = tokenizer;
  const apart = new Set([...model.specials, ...(model.added ?? [])]);
  const isByte = (piece: string) => model.kind === "sentencepiece" && /^<0x[0-9A-F]{2}>$/.test(piece);
  const learned = model.pieces.filter((piece, id) => !apart.has(id) && !isByte(piece));
  return {
    kind: model.kind,
    vocabSize: tokenizer.vocabSize,
    merges: model.merges?.length ?? 0,
    ...(model.kind === "bytes" ? { pattern: model.pattern ?? "none", splitDigits: model.splitDigits } : {}),
    ...(model.kind === "word" ? {} : { normaliser: (model.normaliser ?? []).map(({ type }) => type) }),
    specials: Object.fromEntries(model.specials.map((id) => [model.pieces[id]!, id])),
    template: { before: model.template?.before ?? [], after: model.template?.after ?? [] },
    bosId: tokenizer.bosId ?? null,
    eosId: tokenizer.eosId ?? null,
    unkId: tokenizer.unkId ?? null,
    longestPieces: learned.toSorted((a, b) => b.length - a.length).slice(0, 10),
  };
}

async function measure(tokenizer: Tokenizer, file: string, reading: TextOptions, io: CommandIo) {
  const where = "tokenizer inspect";
  await using texts = await openAndTell([file], reading, io, where);
  let bytes = 0;
  let tokens = 0;
  for await (const text of partsOf(texts, io)) {
    bytes += Buffer.byteLength(text);
    tokens += tokenizer.encode(text).length;
  }
  return { file, bytes, tokens, bytesPerToken: tokens === 0 ? 0 : bytes / tokens };
}

type Facts = ReturnType<typeof describe> & { readonly text?: Awaited<ReturnType<typeof measure>> };

/** A fact a line, for people. */
function asText(facts: Facts, tokenizer: Tokenizer): string {
  const piece = (id: number) => `${JSON.stringify(tokenizer.idToPiece(id))} (${id})`;
  const role = (id: number | null) => (id === null ? "none" : piece(id));
  const list = (ids: readonly number[]) => (ids.length === 0 ? "nothing" : ids.map(piece).join(" "));
  const { text } = facts;
  const rows: readonly (readonly [string, string])[] = [
    ["kind", facts.kind],
    ["pieces", facts.vocabSize.toLocaleString("en-US")],
    ["merges", facts.merges.toLocaleString("en-US")],
    ...("pattern" in facts ? ([["split pattern", `${facts.pattern}${facts.splitDigits ? ", every digit alone" : ""}`]] as const) : []),
    ...("normaliser" in facts && facts.normaliser.length > 0 ? ([["normaliser", facts.normaliser.join(", ")]] as const) : []),
    ["special pieces", list(Object.values(facts.specials))],
    ["begin of text", role(facts.bosId)],
    ["end of text", role(facts.eosId)],
    ["unknown", role(facts.unkId)],
    ["around a text", `${list(facts.template.before)} before it, ${list(facts.template.after)} behind it`],
    ["longest pieces", facts.longestPieces.map((one) => JSON.stringify(one)).join(" ")],
    ...(text === undefined
      ? []
      : ([
          [
            "text",
            `${text.file}: ${count(text.bytes, "byte")} in ${count(text.tokens, "token")}, ${text.bytesPerToken.toFixed(2)} bytes per token`,
          ],
        ] as const)),
  ];
  return rows.map(([name, value]) => `${name.padEnd(15)} ${value}\n`).join("");
}

function count(value: number, what: string): string {
  return `${value.toLocaleString("en-US")} ${what}${value === 1 ? "" : "s"}`;
}
