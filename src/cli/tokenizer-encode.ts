// cria tokenizer encode
import { UsageError } from "../base/index.ts";
import { encodeStream, type Tokenizer } from "../tokenizer/index.ts";
import type { Command, CommandIo } from "./command.ts";
import { encodeFlags, encodeOptions } from "./encode-flags.ts";
import { booleanFlag } from "./flag-values.ts";
import { openNamed } from "./load-tokenizer.ts";
import { isFile } from "./paths.ts";

/** `cria tokenizer encode`: prints the token ids of a text, as it comes. */
export const encodeCommand: Command = {
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
