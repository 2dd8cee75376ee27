// cria tokenizer decode
import { UsageError } from "../base/index.ts";
import type { Command } from "./command.ts";
import { booleanFlag } from "./flag-values.ts";
import { openNamed } from "./load-tokenizer.ts";

/** `cria tokenizer decode`: prints the text of token ids. */
export const decodeCommand: Command = {
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

/** Whole numbers, separated by white space, commas or brackets. */
function parseIds(words: readonly string[]): number[] {
  const parts = words.flatMap((word) => word.split(/[\s,[\]]+/)).filter((part) => part !== "");
  const odd = parts.find((part) => !/^\d+$/.test(part));
  if (odd !== undefined) throw new UsageError("tokenizer decode", `"${odd}" is no token id: give whole numbers`);
  return parts.map(Number);
}
