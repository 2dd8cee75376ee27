// cria inspect: what a model, a file of tensors or a tokenizer holds, and what memory the model takes, without loading it.
import { CriaError, sizeOf, UsageError } from "../base/index.ts";
import { openFile } from "../files/index.ts";
import { readGguf, readSafetensors, type TensorFile } from "../formats/index.ts";
import { type OpenModel, openModel } from "../index.ts";
import { parameterCount } from "../model/index.ts";
import type { OnWarning } from "../open/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import type { Command, CommandIo, Flags } from "./command.ts";
import { booleanFlag, stringFlag, wholeFlag } from "./flag-values.ts";
import { countMemory, type FoundMemory } from "./inspect-memory.ts";
import { inspectText } from "./inspect-text.ts";
import { isFile } from "./paths.ts";
import { inspectCommand } from "./tokenizer-inspect.ts";

const where = "inspect";

/** The command `cria inspect`. */
export const inspect: Command = {
  name: where,
  summary: "show what a model is, how it is stored, and whether it fits this machine's memory",
  usage: "MODEL|FILE.safetensors|TOKENIZER [--context N] [--sequences N] [--tensors] [--tokenizer FILE]",
  flags: [
    { name: "context", type: "number", isLength: true, help: "count the memory of texts of so many tokens (default: the model's context)" },
    { name: "sequences", type: "number", help: "count the memory of so many texts at the same time (default: 1)" },
    { name: "tensors", type: "boolean", help: "list every tensor with its shape and type" },
    {
      name: "tokenizer",
      type: "string",
      help: "a tokenizer's file or folder, in any form, or hf:owner/name, where it is not beside the model",
    },
  ],
  async run([path, ...rest], flags, io) {
    if (path === undefined) throw new UsageError(where, "MODEL is missing: name a model's folder or file, or hf:owner/name");
    if (rest.length > 0) throw new UsageError(where, `"${rest[0]}" is one too many: name one model`);
    if (await isTokenizer(path)) return inspectTokenizer(path, flags, io);
    const found = path.endsWith(".safetensors") ? await inspectFile(path, flags) : await inspectModel(path, flags, io);
    for (const warning of found.warnings) io.stderr(`${warning}\n`);
    io.stdout(io.json ? `${JSON.stringify(found, null, 2)}\n` : inspectText(found, booleanFlag(flags, "tensors")));
    return 0;
  },
};

/** A tensor of a file. */
export interface TensorRow {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
}

/** The tensors of one type. */
export interface TypeRow {
  readonly dtype: string;
  readonly tensors: number;
  readonly parameters: number;
  readonly bytes: number;
  /** The share of the bytes of all tensors, 0 to 1. */
  readonly share: number;
}

/** A chat template by its name. */
export interface TemplateRow {
  readonly name: string;
  /** Why it cannot be read; null where it can. */
  readonly problem: string | null;
}

/** Facts by their names. */
export type Facts = Readonly<Record<string, string | number | null>>;

/** What is printed: as it is for programs, in a layout for people. */
export interface Found {
  readonly file: Facts;
  readonly config?: OpenModel["config"];
  readonly tokenizer?: Facts;
  readonly chatTemplates?: readonly TemplateRow[];
  readonly metadata?: Readonly<Record<string, string>>;
  /** The types of tensors, the one with the most bytes first. */
  readonly types: readonly TypeRow[];
  readonly memory?: FoundMemory;
  readonly tensors: readonly TensorRow[];
  /** What the model's files say and cria neither follows nor refuses. */
  readonly warnings: readonly string[];
}

/** A GGUF without tensors is one, too; a config is a part of a model. */
async function isTokenizer(path: string): Promise<boolean> {
  if (!(await isFile(path))) return false;
  if (/\.(json|model|tiktoken)$/.test(path)) return !/(?:^|[\\/])(?:config|params)\.json$/.test(path);
  if (!path.endsWith(".gguf")) return false;
  await using source = await openFile(path, where);
  return (await readGguf(source)).tensors.length === 0;
}

async function inspectTokenizer(path: string, flags: Flags, io: CommandIo): Promise<number> {
  refuseFlags(flags, ["tokenizer", "context", "sequences", "tensors"], `${path} is a tokenizer, no model`);
  return inspectCommand.run([path], {}, io);
}

/** @throws UsageError for a flag that says nothing of what is looked at */
function refuseFlags(flags: Flags, names: readonly string[], why: string): void {
  const flag = names.find((name) => flags[name] !== undefined && flags[name] !== false);
  if (flag !== undefined) throw new UsageError(where, `${why}: omit --${flag}`);
}

async function inspectFile(path: string, flags: Flags): Promise<Found> {
  refuseFlags(flags, ["tokenizer", "context", "sequences"], `${path} holds tensors alone, without the config of a model`);
  await using source = await openFile(path, where);
  const file = await readSafetensors(source);
  return { file: { path, format: "safetensors", ...countsOf(file) }, metadata: file.metadata, ...tensorsOf(file), warnings: [] };
}

async function inspectModel(path: string, flags: Flags, io: CommandIo): Promise<Found> {
  await using model = await openModel(path, { signal: io.signal, onProgress: io.progress });
  const { format, architecture, config, tensors } = model;
  const asked = { contextLength: wholeFlag(flags, where, "context"), sequences: wholeFlag(flags, where, "sequences") };
  const warnings = [...model.warnings];
  const described = await describeTokenizer(model, stringFlag(flags, "tokenizer"), (warning) => warnings.push(warning));
  const { vocabSize, dim, nLayers, nHeads, ...more } = config;
  return {
    file: { path, format, architecture, ...countsOf(tensors), modelParameters: parameterCount(config) },
    config: { vocabSize, dim, nLayers, nHeads, ...more }, // the sizes first
    ...described,
    metadata: tensors.metadata,
    ...tensorsOf(tensors),
    memory: await countMemory(model, asked, io),
    warnings,
  };
}

/** A model is worth a look without its tokenizer too; one that was named must be there. */
async function describeTokenizer(
  model: OpenModel,
  file: string | undefined,
  onWarning: OnWarning,
): Promise<Pick<Found, "tokenizer" | "chatTemplates">> {
  try {
    const tokenizer = await model.openTokenizer(file, onWarning);
    const { templates, endOfTurn } = await model.openChat(tokenizer, file, onWarning);
    const chat = [...templates.keys()].join(" ");
    return {
      tokenizer: { kind: tokenizer.kind, pieces: tokenizer.vocabSize, ...rolesOf(tokenizer), stop: endOfTurn.join(" "), chat },
      chatTemplates: [...templates].map(([name, read]) => ({ name, problem: read instanceof CriaError ? read.message : null })),
    };
  } catch (error) {
    if (file !== undefined) throw error;
    return { tokenizer: { problem: (error as Error).message } };
  }
}

function rolesOf({ bosId, eosId, padId, unkId }: Tokenizer): Facts {
  return { bos: bosId ?? null, eos: eosId ?? null, pad: padId ?? null, unk: unkId ?? null };
}

function countsOf(file: TensorFile) {
  const tensors = [...file.tensors.values()];
  return { tensors: tensors.length, parameters: sum(tensors, ({ shape }) => sizeOf(shape)), bytes: sum(tensors, bytesOf) };
}

function tensorsOf(file: TensorFile): Pick<Found, "types" | "tensors"> {
  const tensors = [...file.tensors.values()];
  const all = Math.max(1, sum(tensors, bytesOf));
  const types = [...new Set(tensors.map(({ dtype }) => dtype))].map((dtype) => {
    const same = tensors.filter((tensor) => tensor.dtype === dtype);
    const bytes = sum(same, bytesOf);
    return { dtype, tensors: same.length, parameters: sum(same, ({ shape }) => sizeOf(shape)), bytes, share: bytes / all };
  });
  return { types: types.sort((a, b) => b.bytes - a.bytes), tensors: tensors.map(({ name, shape, dtype }) => ({ name, shape, dtype })) };
}

function bytesOf({ start, end }: { readonly start: number; readonly end: number }): number {
  return end - start;
}

function sum<T>(values: readonly T[], of: (value: T) => number): number {
  return values.reduce((total, value) => total + of(value), 0);
}
