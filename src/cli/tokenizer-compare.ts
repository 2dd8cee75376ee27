// cria tokenizer compare: where two tokenizers make other ids of the same texts
import { UsageError } from "../base/index.ts";
import { tokenizerForms } from "../open/index.ts";
import type { EncodeOptions, Tokenizer } from "../tokenizer/index.ts";
import type { Command } from "./command.ts";
import { booleanFlag } from "./flag-values.ts";
import { loadTokenizer } from "./load-tokenizer.ts";
import { formsHelp, openAndTell, partsOf, textFlags, textOptions } from "./text-flags.ts";

const where = "tokenizer compare";

/** The command `cria tokenizer compare`. */
export const compareCommand: Command = {
  name: "compare",
  summary: "find the first place where two tokenizers differ on texts; exit code 1 if they do",
  usage: "A B TEXT...",
  flags: [
    { name: "special", type: "boolean", help: "special pieces spelled out in a text become their ids" },
    { name: "template", type: "boolean", help: "put around each text what the tokenizers put around a prompt" },
    ...textFlags,
  ],
  example: {
    title: `A and B are folders or files: ${tokenizerForms}; a TEXT is a file, folder, pattern or -`,
    text: formsHelp,
  },
  async run([a, b, ...paths], flags, io) {
    if (a === undefined || b === undefined) throw new UsageError(where, `A and B are needed: name two folders or files: ${tokenizerForms}`);
    if (paths.length === 0) throw new UsageError(where, "no texts: name files, folders or patterns, or - for standard input");
    const reading = textOptions(flags, where);
    const pair = { a: await loadTokenizer(a, io), b: await loadTokenizer(b, io) };
    const options = { parseSpecial: booleanFlag(flags, "special"), template: booleanFlag(flags, "template") };
    const counts = { bytes: 0, tokens: 0 };
    for (const path of paths) {
      await using texts = await openAndTell([path], reading, io, where);
      for await (const text of partsOf(texts, io)) {
        const difference = firstDifference(pair, text, options);
        if (difference !== undefined) {
          io.stdout(io.json ? `${JSON.stringify({ same: false, text: path, ...difference })}\n` : asText(path, difference));
          return 1;
        }
        counts.bytes += Buffer.byteLength(text);
        counts.tokens += pair.a.encode(text, options).length;
      }
    }
    const { bytes, tokens } = counts;
    io.stdout(
      io.json
        ? `${JSON.stringify({ same: true, bytes, tokens })}\n`
        : `the same ids: ${tokens.toLocaleString("en-US")} tokens of ${bytes.toLocaleString("en-US")} bytes\n`,
    );
    return 0;
  },
};

/** Some ids of one tokenizer from the difference on, with their pieces. */
interface Side {
  readonly ids: readonly number[];
  readonly pieces: readonly string[];
}

interface Difference {
  /** What stands before the difference, and behind it. */
  readonly before: string;
  readonly behind: string;
  /** Which token of the text is the first that differs, from 0 on. */
  readonly token: number;
  readonly a: Side;
  readonly b: Side;
}

/** Characters of the text, and tokens, that are shown on each side. */
const shownCharacters = 40;
const shownTokens = 8;

function firstDifference(
  { a, b }: { readonly a: Tokenizer; readonly b: Tokenizer },
  text: string,
  options: EncodeOptions,
): Difference | undefined {
  const [idsA, idsB] = [a.encode(text, options), b.encode(text, options)];
  const length = Math.min(idsA.length, idsB.length);
  let token = 0;
  while (token < length && idsA[token] === idsB[token] && a.idToPiece(idsA[token]!) === b.idToPiece(idsB[token]!)) token++;
  if (token === idsA.length && token === idsB.length) return undefined;
  const at = placeOf(a, idsA, token, text);
  return {
    before: text.slice(Math.max(0, at - shownCharacters), at),
    behind: text.slice(at, at + shownCharacters),
    token,
    a: sideOf(a, idsA, token),
    b: sideOf(b, idsB, token),
  };
}

/** Where in the text the token begins: behind as many characters as the tokens before it decode to. A normaliser may have moved it a little. */
function placeOf(tokenizer: Tokenizer, ids: Uint32Array, token: number, text: string): number {
  const before = tokenizer.decode(ids.subarray(0, token), { specials: true });
  return text.startsWith(before) ? before.length : Math.min(before.length, text.length);
}

function sideOf(tokenizer: Tokenizer, ids: Uint32Array, token: number): Side {
  const shown = [...ids.subarray(token, token + shownTokens)];
  return { ids: shown, pieces: shown.map((id) => tokenizer.idToPiece(id)) };
}

function asText(path: string, { before, behind, token, a, b }: Difference): string {
  const rows = (name: string, { ids, pieces }: Side) =>
    `${name}  ${ids.length === 0 ? "ends here" : ids.map((id, i) => `${id} ${JSON.stringify(pieces[i])}`).join("  ")}\n`;
  return `${path}: token ${token} differs, behind ${JSON.stringify(before)} at ${JSON.stringify(behind)}\n${rows("A", a)}${rows("B", b)}`;
}
