// cria convert: a model as another file or folder, in fewer bits if need be.
import { byteSize, didYouMean, elementLayouts, sizeOf, UsageError } from "../base/index.ts";
import { type Conversion, type ConvertedTensor, convertModel } from "../convert/index.ts";
import type { Texts } from "../corpus/index.ts";
import { type FileType, fileTypeOf, fileTypes } from "../formats/index.ts";
import type { Command, CommandIo, Flags } from "./command.ts";
import { stringFlag, wholeFlag } from "./flag-values.ts";
import { openBackend } from "./open-backend.ts";
import { formsHelp, openAndTell, partsOf, textFlags, textOptions } from "./text-flags.ts";

const where = "convert";
const usualTokens = 8192;
/** Flags that name a text. */
const textNames = ["calibrate", "measure"] as const;

/** The command `cria convert`. */
export const convert: Command = {
  name: "convert",
  summary: "write a model as GGUF or as a Hugging Face folder, in fewer bits if need be",
  usage: "MODEL OUT.gguf|OUT_FOLDER [--type TYPE] [--calibrate TEXT] [--measure TEXT]",
  flags: [
    {
      ...{ name: "type", type: "string", value: "TYPE" },
      help: `what weights are written in: ${fileTypes.join(", ")}; q4_K and q5_K are their _M (default: as the model has them)`,
    },
    {
      ...{ name: "calibrate", type: "string", value: "TEXT" },
      help: "q4_K, q5_K and q6_K lose the least where this text's activations are large",
    },
    { name: "measure", type: "string", value: "TEXT", help: "the loss on this text, before and after" },
    {
      name: "tokens",
      type: "number",
      isLength: true,
      default: usualTokens,
      help: "roughly how many tokens of a text are read, spread over it",
    },
    { name: "shard-bytes", type: "number", help: "the most bytes of a file of weights in a folder (default: 5e9)" },
    { name: "name", type: "string", help: "what the model is called in a GGUF (default: the name of its file or folder)" },
    {
      name: "tokenizer",
      type: "string",
      help: "a tokenizer's file or folder, in any form, or hf:owner/name, where it is not beside the model",
    },
    ...textFlags,
  ],
  example: { title: "a TEXT is a file, folder, pattern or -", text: formsHelp },
  async run([path, out, ...rest], flags, io) {
    if (path === undefined) throw new UsageError(where, "MODEL is missing: name a model's folder or file, or hf:owner/name");
    if (out === undefined) throw new UsageError(where, "OUT is missing: name a file that ends in .gguf, or a folder");
    if (rest.length > 0) throw new UsageError(where, `"${rest[0]}" is one too many: name one model and one OUT`);
    const type = typeFlag(flags);
    const tokens = wholeFlag(flags, where, "tokens", 2);
    const maxShardBytes = wholeFlag(flags, where, "shard-bytes");
    const [name, tokenizer] = [stringFlag(flags, "name"), stringFlag(flags, "tokenizer")];
    checkTexts(flags);
    await using calibrate = await openText(flags, "calibrate", io);
    await using measure = await openText(flags, "measure", io);
    await using backend = hasText(flags) ? await openBackend(io) : undefined;
    const made = await convertModel(path, out, {
      ...(calibrate && { calibrate: partsOf(calibrate, io) }),
      ...(measure && { measure: partsOf(measure, io) }),
      ...(backend && { backend }),
      ...(type && { type }),
      ...(name !== undefined && { name }),
      ...(tokenizer !== undefined && { tokenizer }),
      ...(tokens !== undefined && { tokens }),
      ...(maxShardBytes !== undefined && { maxShardBytes }),
      onWarning: (warning) => io.stderr(`${warning}\n`),
      progress: io.progress,
      signal: io.signal,
    });
    io.stdout(io.json ? `${JSON.stringify(made, null, 2)}\n` : asText(made));
    return 0;
  },
};

function typeFlag(flags: Flags): FileType | undefined {
  const name = stringFlag(flags, "type");
  const type = name === undefined ? undefined : fileTypeOf(name);
  if (name !== undefined && type === undefined)
    throw new UsageError(where, `--type is "${name}"${didYouMean(name, fileTypes) || ":"} one of ${fileTypes.join(", ")}`);
  return type;
}

function hasText(flags: Flags): boolean {
  return textNames.some((name) => flags[name] !== undefined);
}

/** @throws UsageError for flags that say how texts are read where there is none, and for standard input that would be read twice */
function checkTexts(flags: Flags): void {
  const lone = textFlags.find(({ name }) => flags[name] !== undefined);
  if (lone !== undefined && !hasText(flags))
    throw new UsageError(where, `--${lone.name} says how texts are read, but none is given: add --measure TEXT, or omit --${lone.name}`);
  if (textNames.every((name) => flags[name] === "-"))
    throw new UsageError(where, "--calibrate and --measure are both -, but standard input can be read once: put the text in a file");
}

/** A text is opened before hours of work, and read when its turn comes. */
async function openText(flags: Flags, name: (typeof textNames)[number], io: CommandIo): Promise<Texts | undefined> {
  const path = stringFlag(flags, name);
  return path === undefined ? undefined : openAndTell([path], textOptions(flags, where), io, where);
}

function asText({ path, form, type, bytes, tensors, measured }: Conversion): string {
  const weights = tensors.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const bits = ((8 * bytes) / weights).toFixed(2);
  const rows = tensors.map((tensor) => [tensor.name, tensor.shape.join(" × "), tensor.dtype, percent(tensor.error), instead(tensor)]);
  const lines = [`${path}: ${form} of ${type}, ${byteSize(bytes)}, ${bits} bits per weight\n`];
  if (measured) {
    const { before, after } = measured;
    lines.push(`perplexity ${before.perplexity.toPrecision(5)}, then ${after.perplexity.toPrecision(5)}; `);
    lines.push(
      `bits per byte ${before.bitsPerByte.toFixed(4)}, then ${after.bitsPerByte.toFixed(4)}; ${after.tokens.toLocaleString("en-US")} tokens\n`,
    );
  }
  return `${table([["tensor", "shape", "layout", "error"], ...rows])}\n${lines.join("")}`;
}

/** Four parts in a thousand are "0.4 %". */
function percent(error: number): string {
  return error === 0 ? "0" : `${Number((100 * error).toPrecision(2))} %`;
}

function instead({ wanted, shape }: ConvertedTensor): string {
  return wanted === undefined ? "" : `instead of ${wanted}: rows of ${shape.at(-1)} are no whole blocks of ${elementLayouts[wanted].block}`;
}

/** Columns to the left. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd((widths[column] ?? 0) + 2))
          .join("")
          .trimEnd()}\n`,
    )
    .join("");
}
