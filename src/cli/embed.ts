// cria embed: texts as vectors.
import { decodeUtf8, UsageError } from "../base/index.ts";
import { readTextFile } from "../files/index.ts";
import { Llama } from "../index.ts";
import { poolings } from "../infer/index.ts";
import type { Command, CommandIo, Flags } from "./command.ts";
import { booleanFlag, oneOfFlag, stringFlag, wholeFlag } from "./flag-values.ts";
import { openBackend } from "./open-backend.ts";

const where = "embed";

/** The command `cria embed`. */
export const embed: Command = {
  name: "embed",
  summary: "texts as vectors, by what a model's last layer makes of them",
  usage: 'MODEL "TEXT"... | --file FILE|-  [--pooling mean|last] [--raw]',
  flags: [
    {
      name: "file",
      type: "string",
      value: "FILE",
      help: "a file of texts, one per line, or - for stdin, in the place of texts; empty lines are left out",
    },
    {
      name: "pooling",
      type: "string",
      value: poolings.join("|"),
      help: "the mean of all tokens of a text, or its last token (default: mean)",
    },
    { name: "raw", type: "boolean", help: "vectors as they come; unless given, each is scaled to length 1" },
    { name: "context", type: "number", isLength: true, help: "tokens that a text may have; fewer take less memory (default: the model's)" },
    {
      name: "tokenizer",
      type: "string",
      help: "a tokenizer's file or folder, in any form, or hf:owner/name, where it is not beside the model",
    },
  ],
  async run([path, ...words], flags, io) {
    if (path === undefined) throw new UsageError(where, "MODEL is missing: name a model's folder or file, or hf:owner/name");
    const pooling = oneOfFlag(flags, where, "pooling", poolings) ?? "mean";
    const contextLength = wholeFlag(flags, where, "context");
    const tokenizer = stringFlag(flags, "tokenizer");
    const texts = await readTexts(words, flags, io);
    await using backend = await openBackend(io);
    await using llama = await Llama.load(path, {
      ...{ backend, signal: io.signal, onProgress: io.progress },
      ...(contextLength !== undefined && { contextLength }),
      ...(tokenizer !== undefined && { tokenizer }),
    });
    for (const warning of llama.warnings) io.stderr(`${warning}\n`);
    const normalise = !booleanFlag(flags, "raw");
    const vectors = await llama.embed(texts, { pooling, normalise, signal: io.signal });
    const rows = texts.map((text, i) => ({ text, tokens: llama.promptIds(text).length, embedding: Array.from(vectors[i] ?? []) }));
    if (io.json)
      io.stdout(`${JSON.stringify({ model: path, pooling, normalised: normalise, dim: llama.config.dim, embeddings: rows }, null, 2)}\n`);
    else for (const { embedding } of rows) io.stdout(`${embedding.join(" ")}\n`);
    return 0;
  },
};

async function readTexts(words: readonly string[], flags: Flags, io: CommandIo): Promise<readonly string[]> {
  const file = stringFlag(flags, "file");
  if (file !== undefined && words.length > 0)
    throw new UsageError(where, `"${words[0]}" is given beside --file ${file}: put it into that file, or omit --file`);
  if (file === undefined && words.length === 0)
    throw new UsageError(where, "the texts are missing: give them in quotes, or a file of lines (--file)");
  if (file === undefined) return words;
  const text = file === "-" ? decodeUtf8(await io.stdin(), "stdin", where) : await readTextFile(file, where, "texts");
  return text.split(/\r?\n/).filter((line) => line !== "");
}
