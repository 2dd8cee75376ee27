// cria tokenizer: train, encode, decode, inspect, convert, extend, cut, compare, explain, stats, chat
import { UsageError } from "../base/index.ts";
import { encodeStream, type Tokenizer } from "../tokenizer/index.ts";
import type { Command, CommandGroup, CommandIo } from "./command.ts";
import { encodeFlags, encodeOptions } from "./encode-flags.ts";
import { booleanFlag } from "./flag-values.ts";
import { isFile, openNamed } from "./load-tokenizer.ts";
import { chatCommand } from "./tokenizer-chat.ts";
import { compareCommand } from "./tokenizer-compare.ts";
import { convertCommand } from "./tokenizer-convert.ts";
import { cutCommand } from "./tokenizer-cut.ts";
import { explainCommand } from "./tokenizer-explain.ts";
import { extendCommand } from "./tokenizer-extend.ts";
import { inspectCommand } from "./tokenizer-inspect.ts";
import { statsCommand } from "./tokenizer-stats.ts";
import { trainCommand } from "./tokenizer-train.ts";

const encodeCommand: Command = {
  name: "encode",
  summary: "text to token ids",
  usage: "TOKENIZER [TEXT|-]",
  flags: [{ name: "pieces", type: "boolean", help: "print the pieces beside the ids, one per line" }, ...encodeFlags],
  async run([path, text, ...rest], flags, io) {
    const tokenizer = await openNamed(path, "tokenizer encode", io);
    if (rest.length > 0) throw new UsageError("tokenizer encode", "more than one TEXT: quote it, or pipe it in");
    const options = encodeOptions(flags);
    const isPiped = text === undefined || text === "-";
    if (!isPiped && (await isFile(text)))
      io.stderr(
        `note: ${text} is encoded as it is spelt, though a file is called so; for what it holds: ${io.caller.cria} tokenizer encode ${path} - < ${text}\n`,
      );
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

const decodeCommand: Command = {
  name: "decode",
  summary: "token ids to text",
  usage: "TOKENIZER IDS...|-",
  flags: [{ name: "special", type: "boolean", help: "spell special pieces out instead of omitting them" }],
  async run([path, ...words], flags, io) {
    const tokenizer = await openNamed(path, "tokenizer decode", io);
    if (words.length === 0 && process.stdin.isTTY)
      throw new UsageError("tokenizer decode", "IDS are missing: give some, pipe them in, or type them behind a -");
    const isPiped = words.length === 0 || (words.length === 1 && words[0] === "-");
    const ids = parseIds(isPiped ? [new TextDecoder().decode(await io.stdin())] : words);
    const text = tokenizer.decode(ids, { specials: booleanFlag(flags, "special") });
    io.stdout(io.json ? `${JSON.stringify({ text })}\n` : `${text}\n`);
    return 0;
  },
};

/** The commands of `cria tokenizer`. */
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
    explainCommand,
    statsCommand,
    chatCommand,
  ],
};

/** Whole numbers, separated by white space, commas or brackets. */
function parseIds(words: readonly string[]): number[] {
  const parts = words.flatMap((word) => word.split(/[\s,[\]]+/)).filter((part) => part !== "");
  const odd = parts.find((part) => !/^\d+$/.test(part));
  if (odd !== undefined) throw new UsageError("tokenizer decode", `"${odd}" is no token id: give whole numbers`);
  return parts.map(Number);
}
