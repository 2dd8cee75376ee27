// cria inspect: what a model or a safetensors file holds, without loading it.
import { sizeOf, UsageError } from "../base/index.ts";
import { openFile } from "../files/index.ts";
import { readSafetensors, type TensorFile } from "../formats/index.ts";
import { type OpenModel, openModel } from "../index.ts";
import type { OnWarning } from "../open/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import type { Command } from "./command.ts";
import { stringFlag } from "./flag-values.ts";
import { isFile } from "./paths.ts";
import { inspectCommand } from "./tokenizer-inspect.ts";

/** The command `cria inspect`. */
export const inspect: Command = {
  name: "inspect",
  summary: "show a model's config, parameters and tokenizer",
  usage: "MODEL|FILE.safetensors|TOKENIZER [--tokenizer FILE]",
  flags: [
    {
      name: "tokenizer",
      type: "string",
      help: "a tokenizer's file or folder, in any form, or hf:owner/name, where it is not beside the model",
    },
  ],
  async run([path, ...rest], flags, io) {
    if (path === undefined) throw new UsageError("inspect", "MODEL is missing: name a model's folder or file, or hf:owner/name");
    if (rest.length > 0) throw new UsageError("inspect", `"${rest[0]}" is one too many: name one model`);
    const tokenizer = stringFlag(flags, "tokenizer");
    if (/\.(json|model|tiktoken)$/.test(path) && (await isFile(path))) {
      if (tokenizer !== undefined) throw new UsageError("inspect", `${path} is a tokenizer, no model: omit --tokenizer ${tokenizer}`);
      return inspectCommand.run([path], {}, io);
    }
    const found = path.endsWith(".safetensors") ? await inspectFile(path) : await inspectModel(path, tokenizer);
    for (const warning of found.warnings) io.stderr(`${warning}\n`);
    io.stdout(io.json ? `${JSON.stringify(found, null, 2)}\n` : asText(found));
    return 0;
  },
};

interface TensorRow {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
}

/** What is printed: groups of facts, then the tensors. */
interface Found {
  readonly file: Readonly<Record<string, string | number>>;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly tokenizer?: Readonly<Record<string, string | number | null>>;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly tensors: readonly TensorRow[];
  /** What the model's files say and cria neither follows nor refuses. */
  readonly warnings: readonly string[];
}

async function inspectFile(path: string): Promise<Found> {
  await using source = await openFile(path, "inspect");
  const file = await readSafetensors(source);
  return { file: { path, format: "safetensors", ...countsOf(file) }, metadata: file.metadata, tensors: rowsOf(file), warnings: [] };
}

async function inspectModel(path: string, tokenizerFile: string | undefined): Promise<Found> {
  await using model = await openModel(path);
  const { format, config, tensors } = model;
  const { vocabSize, dim, nLayers, nHeads, ...more } = config;
  const warnings = [...model.warnings];
  return {
    file: { path, format, ...countsOf(tensors) },
    config: { vocabSize, dim, nLayers, nHeads, ...more }, // the sizes first
    tokenizer: await describeTokenizer(model, tokenizerFile, (warning) => warnings.push(warning)),
    metadata: tensors.metadata,
    tensors: rowsOf(tensors),
    warnings,
  };
}

/** A model is worth a look without its tokenizer too; one that was named must be there. */
async function describeTokenizer(
  model: OpenModel,
  file: string | undefined,
  onWarning: OnWarning,
): Promise<NonNullable<Found["tokenizer"]>> {
  try {
    const tokenizer = await model.openTokenizer(file, onWarning);
    const { templates, endOfTurn } = await model.openChat(tokenizer, file, onWarning);
    const chat = [...templates.keys()].join(" ");
    return { kind: tokenizer.kind, pieces: tokenizer.vocabSize, ...rolesOf(tokenizer), stop: endOfTurn.join(" "), chat };
  } catch (error) {
    if (file !== undefined) throw error;
    return { problem: (error as Error).message };
  }
}

function rolesOf({ bosId, eosId, padId, unkId }: Tokenizer) {
  return { bos: bosId ?? null, eos: eosId ?? null, pad: padId ?? null, unk: unkId ?? null };
}

function countsOf(file: TensorFile): Found["file"] {
  const tensors = [...file.tensors.values()];
  const total = (of: (tensor: (typeof tensors)[number]) => number) => tensors.reduce((sum, tensor) => sum + of(tensor), 0);
  return { tensors: tensors.length, parameters: total(({ shape }) => sizeOf(shape)), bytes: total(({ start, end }) => end - start) };
}

function rowsOf(file: TensorFile): TensorRow[] {
  return [...file.tensors.values()].map(({ name, shape, dtype }) => ({ name, shape, dtype }));
}

function asText({ file, config, tokenizer, metadata, tensors }: Found): string {
  const groups = [facts(file), titled("config", config), titled("tokenizer", tokenizer), titled("metadata", metadata), table(tensors)];
  return groups.filter((group) => group !== "").join("\n");
}

function titled(title: string, group: Readonly<Record<string, unknown>> | undefined): string {
  return group === undefined || Object.keys(group).length === 0 ? "" : `${title}\n${facts(group, "  ")}`;
}

function facts(group: Readonly<Record<string, unknown>>, indent = ""): string {
  const left = Math.max(...Object.keys(group).map((name) => name.length)) + 2;
  return Object.entries(group)
    .map(([name, value]) => `${indent}${name.padEnd(left)}${show(value)}\n`)
    .join("");
}

function show(value: unknown): string {
  if (value === null || value === "") return "none";
  if (Array.isArray(value)) return value.every((part) => typeof part === "boolean") ? layersOf(value) : `${value.length} values`;
  if (typeof value === "object")
    return Object.entries(value)
      .filter(([, part]) => part !== undefined)
      .map(([name, part]) => (name === "type" ? show(part) : `${name} ${show(part)}`))
      .join(", ");
  return typeof value === "number" && Number.isInteger(value) ? value.toLocaleString("en-US") : String(value);
}

/** What holds in some layers of a model: their numbers, from 0. */
function layersOf(holds: readonly boolean[]): string {
  const layers = holds.flatMap((here, layer) => (here ? [layer] : []));
  return layers.length === 0 ? "no layer" : `layer${layers.length === 1 ? "" : "s"} ${layers.join(", ")}`;
}

function table(tensors: readonly TensorRow[]): string {
  const rows = tensors.map(({ name, shape, dtype }) => [name, shape.join(" × ") || "one number", dtype]);
  const widths = [0, 1].map((column) => Math.max(0, ...rows.map((row) => row[column]!.length)));
  return `tensors\n${rows
    .map(
      (row) =>
        `  ${row
          .map((cell, i) => cell.padEnd((widths[i] ?? 0) + 2))
          .join("")
          .trimEnd()}\n`,
    )
    .join("")}`;
}
