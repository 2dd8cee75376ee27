// cria tokenizer inspect: what a tokenizer holds
import { UsageError } from "../base/index.ts";
import type { TextOptions } from "../corpus/index.ts";
import type { Tokenizer, TokenizerModel } from "../tokenizer/index.ts";
import type { Command, CommandIo } from "./command.ts";
import { stringFlag } from "./flag-values.ts";
import { openNamed } from "./load-tokenizer.ts";
import { openAndTell, optionalTextOptions, partsOf, textFlags } from "./text-flags.ts";

/** The command `cria tokenizer inspect`. */
export const inspectCommand: Command = {
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
    const tokenizer = await openNamed(path, "tokenizer inspect", io);
    const facts = { ...describe(tokenizer), ...(text === undefined ? {} : { text: await measure(tokenizer, text, reading, io) }) };
    io.stdout(io.json ? `${JSON.stringify(facts)}\n` : asText(facts, tokenizer));
    return 0;
  },
};

function describe(tokenizer: Tokenizer) {
  const { model } = tokenizer;
  const apart = new Set([...model.specials, ...(model.added ?? [])]);
  const isByte = (piece: string) => model.kind === "sentencepiece" && /^<0x[0-9A-F]{2}>$/.test(piece);
  const learned = model.pieces.filter((piece, id) => !apart.has(id) && !isByte(piece));
  return {
    kind: model.kind,
    vocabSize: tokenizer.vocabSize,
    merges: (model.merges?.length ?? 0) / 2,
    ...(model.kind === "bytes" && model.preTokeniser === undefined
      ? { pattern: model.pattern ?? "none", splitDigits: model.splitDigits }
      : {}),
    ...(model.kind === "word" ? {} : stepsOf(model)),
    specials: Object.fromEntries(model.specials.map((id) => [model.pieces[id]!, id])),
    template: { before: model.template?.before ?? [], after: model.template?.after ?? [] },
    bosId: tokenizer.bosId ?? null,
    eosId: tokenizer.eosId ?? null,
    unkId: tokenizer.unkId ?? null,
    longestPieces: learned.toSorted((a, b) => b.length - a.length).slice(0, 10),
  };
}

/** What is done to a text before it is merged, and how pieces say where in a word they stand. */
function stepsOf(model: Exclude<TokenizerModel, { kind: "word" }>) {
  const { continuingPrefix, wordSuffix } = model.kind === "sentencepiece" ? model : {};
  return {
    normaliser: (model.normaliser ?? []).map(({ type }) => type),
    ...(model.preTokeniser === undefined ? {} : { preTokeniser: model.preTokeniser.map(({ type }) => type) }),
    ...(continuingPrefix === undefined ? {} : { continuingPrefix }),
    ...(wordSuffix === undefined ? {} : { wordSuffix }),
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

/** Facts for people, one per line. */
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
    ...("preTokeniser" in facts ? ([["cut into words", facts.preTokeniser.join(", ")]] as const) : []),
    ...("continuingPrefix" in facts ? ([["within a word", `pieces begin with ${JSON.stringify(facts.continuingPrefix)}`]] as const) : []),
    ...("wordSuffix" in facts ? ([["end of a word", `pieces end with ${JSON.stringify(facts.wordSuffix)}`]] as const) : []),
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
