// A model at a path as another file or folder: in the type that is asked for, with what is lost by it.
import { readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Backend } from "../backend/index.ts";
import { check, fail, type OnProgress, UsageError } from "../base/index.ts";
import type { Evaluation, HeldOutText } from "../eval/index.ts";
import { type FileType, type FloatType, fileTypes, ggufConfig, hfName, isStorageName } from "../formats/index.ts";
import { openModel } from "../load/index.ts";
import { parameterRows } from "../model/index.ts";
import type { OnWarning, OpenModel } from "../open/index.ts";
import { relativeErrors } from "./compare.ts";
import { HeldModel } from "./held-model.ts";
import { type Documents, textSample } from "./text-sample.ts";
import { type WrittenTensor, writeGguf } from "./write-gguf.ts";
import { writeHfFolder } from "./write-hf-folder.ts";

/** How a model is converted. */
export interface ConvertOptions {
  /** The type that is written; a folder has f32, bf16 or f16. @default the type that all matrices of the model have, f32 where they have several */
  readonly type?: FileType;
  /** What the model is called in a GGUF. @default the name of its file or folder */
  readonly name?: string;
  /** Another tokenizer than the model's own, by its path. */
  readonly tokenizer?: string;
  /** The most bytes of a file of weights in a folder. @default 5e9 */
  readonly maxShardBytes?: number;
  /** A text by whose activations columns count more or less where a super-block (q4_K, q5_K, q6_K) loses something. */
  readonly calibrate?: Documents;
  /** A text on which the model is evaluated before and after. */
  readonly measure?: Documents;
  /** Roughly how many tokens of either text are read, spread over it. @default all */
  readonly tokens?: number;
  /** What computes; needed where there is a text. It stays the caller's. */
  readonly backend?: Backend;
  readonly onWarning?: OnWarning;
  readonly progress?: OnProgress;
  readonly signal?: AbortSignal;
}

/** A parameter as it was written. */
export interface ConvertedTensor extends WrittenTensor {
  readonly shape: readonly number[];
  /** √(Σ (x − x̂)² / Σ x²), 0 where nothing was lost. */
  readonly error: number;
}

/** A model that was written. */
export interface Conversion {
  /** The file or folder. */
  readonly path: string;
  readonly form: "GGUF" | "Hugging Face folder";
  readonly type: FileType;
  /** Bytes of the file, or of all files of the folder. */
  readonly bytes: number;
  readonly tensors: readonly ConvertedTensor[];
  /** What the model reaches on the text, as it was and as it is written. */
  readonly measured?: { readonly before: Evaluation; readonly after: Evaluation };
}

const where = "convert";

/**
 * Converts the model at `from`, any that opens, to `to`: a GGUF where the name ends in .gguf, else a Hugging Face folder. What is written is opened
 * again and held against the model.
 * @throws CriaError where the model cannot be written so, or something is at `to` already; the signal's reason when it aborts. Nothing is left half.
 */
export async function convertModel(from: string, to: string, options: ConvertOptions = {}): Promise<Conversion> {
  const { signal, measure, onWarning = () => undefined } = options;
  const form = formOf(to);
  checkOptions(form, options);
  await checkFree(to, form);
  await using model = await openModel(from, { signal, onProgress: options.progress });
  const type = options.type ?? ownType(model);
  const write = writerOf(form, type);
  if (form === "GGUF") ggufConfig(model.config); // refuses what cannot be written before a text is read
  const calibrate = usefulText(type, options);
  if (calibrate ?? measure) backendOf(options);
  for (const warning of [...model.warnings, ...lostTwice(model, type)]) onWarning(warning);
  // A text is read before anything is written, in case that there is nothing in it.
  const text = measure && (await sampleOf(measure, model, options));
  const importance = calibrate && (await importanceBy(await sampleOf(calibrate, model, options), model, options));
  const written = await write(model, to, { ...options, ...(importance && { importance }) });
  await using made = await openModel(to, { signal });
  const errors = await relativeErrors(model, made, options);
  const measured = text && (await lossesOn(text, [model, made], options));
  return {
    ...{ path: to, form, type, bytes: await bytesAt(to) },
    tensors: written.map((tensor) => ({ ...tensor, error: errors.get(tensor.parameter) ?? 0 })),
    ...(measured && { measured }),
  };
}

/** Types of files by the names of stored floats. */
const ownTypes: Readonly<Partial<Record<string, FileType>>> = { F16: "f16", BF16: "bf16" };

/** The types of a model's matrices. */
function matrixTypes({ tensors }: OpenModel<string>): Set<string> {
  return new Set([...tensors.tensors.values()].filter(({ shape }) => shape.length > 1).map(({ dtype }) => dtype));
}

/** A sentence where blocks are made of other blocks, which lose more than those of the floats that once were. */
function lostTwice(model: OpenModel<string>, type: FileType): string[] {
  const blocks = [...matrixTypes(model)].filter((dtype) => !isStorageName(dtype));
  if (blocks.length === 0 || isFloatType(type) || blocks.some((dtype) => type === dtype || type.startsWith(`${dtype}_`))) return [];
  const now = blocks.join(", ");
  return [
    `[${where}] ${model.path}: its weights are ${now} already, so that ${type} loses more than it does of floats: convert the model in floats, where there is one`,
  ];
}

/** The type of all matrices, in the words of files that are written. */
function ownType(model: OpenModel<string>): FileType {
  const { path } = model;
  const found = matrixTypes(model);
  const quantised = [...found].find((dtype) => !isStorageName(dtype));
  if (quantised !== undefined) {
    const types = fileTypes.join(", ");
    return fail(where, `${path}: its weights are ${quantised}, which are written anew: say a type, one of ${types}`, { ways: ["type"] });
  }
  const [only = "F32", ...others] = found;
  return (others.length === 0 && ownTypes[only]) || "f32";
}

/** The types of a Hugging Face folder, by our names. */
const floatTypes = { f32: "float32", bf16: "bfloat16", f16: "float16" } as const satisfies Partial<Record<FileType, FloatType>>;

function isFloatType(type: FileType): type is keyof typeof floatTypes {
  return Object.hasOwn(floatTypes, type);
}

/** The form that a name asks for. @throws UsageError for names that ask for a place or a form which is not written */
function formOf(to: string): Conversion["form"] {
  const wayOut = "name a file that ends in .gguf, or a folder";
  const place = JSON.stringify(to);
  if (to === "") throw new UsageError(where, `OUT is ${place}: ${wayOut}`);
  if (to.startsWith("hf:")) throw new UsageError(where, `OUT is ${place}, but models are written on this machine alone: ${wayOut}`);
  const ending = /\.(?:bin|pth|pt|safetensors)$/i.exec(to)?.[0];
  if (ending !== undefined) throw new UsageError(where, `OUT is ${place}, but ${ending} alone is no form that is written: ${wayOut}`);
  return /\.gguf$/i.test(to) ? "GGUF" : "Hugging Face folder";
}

/** Hours of work are not replaced by the way; what is there may be a link to the model itself. */
async function checkFree(to: string, form: Conversion["form"]): Promise<void> {
  const found = await stat(to).catch(() => undefined);
  check(
    found === undefined || (form === "Hugging Face folder" && found.isDirectory()),
    where,
    () => `${to}: it is there already: name another place, or remove it first`,
  );
  const folder = dirname(to);
  const isThere = form === "Hugging Face folder" || (await stat(folder).catch(() => undefined))?.isDirectory() === true;
  check(isThere, where, () => `${to}: there is no folder ${folder}: make it first, or name another place`);
}

/** @throws UsageError for an option that would change nothing */
function checkOptions(form: Conversion["form"], { maxShardBytes, name }: ConvertOptions): void {
  if (form === "GGUF" && maxShardBytes !== undefined)
    throw new UsageError(where, `files of ${maxShardBytes} bytes are asked for, but a GGUF is one file: leave it out`, {
      ways: ["maxShardBytes"],
    });
  if (form !== "GGUF" && name !== undefined)
    throw new UsageError(where, `the name is "${name}", but a Hugging Face folder has none inside: leave it out`, { ways: ["name"] });
}

/** Types with layouts that columns' importance changes; the output matrix, which has q6_K in others, has no importance. */
const calibrated: readonly FileType[] = ["q4_0", "q5_0", "q4_K_S", "q4_K_M", "q5_K_S", "q5_K_M", "q6_K"];

/** The text to calibrate by, where it changes what is written. */
function usefulText(type: FileType, { calibrate, onWarning }: ConvertOptions): Documents | undefined {
  if (calibrate === undefined || calibrated.includes(type)) return calibrate;
  onWarning?.(
    `[${where}] the type is ${type}, for which a text to calibrate by changes nothing, so that it is not read: ${calibrated.join(", ")} follow one`,
  );
  return undefined;
}

async function importanceBy(text: HeldOutText, model: OpenModel<string>, options: ConvertOptions): Promise<Map<string, Float32Array>> {
  using held = await load(model, options);
  return await held.meanSquares(text, options);
}

/** The losses of the model as it was and as it was written, on the same tokens. */
async function lossesOn(
  text: HeldOutText,
  [source, made]: readonly [OpenModel<string>, OpenModel<string>],
  options: ConvertOptions,
): Promise<Required<Conversion>["measured"]> {
  const evaluate = async (model: OpenModel<string>) => {
    using held = await load(model, options);
    return await held.evaluate(text, options);
  };
  return { before: await evaluate(source), after: await evaluate(made) };
}

async function sampleOf(documents: Documents, model: OpenModel<string>, { tokenizer, onWarning }: ConvertOptions): Promise<HeldOutText> {
  const text = await textSample(documents, await model.openTokenizer(tokenizer, onWarning));
  check(text.tokens.length >= 2, where, () => `the text has ${text.tokens.length} tokens: it needs at least 2`);
  return text;
}

function backendOf({ backend }: ConvertOptions): Backend {
  return backend ?? fail(where, "a text is given, but no backend to read it with: give a backend, too");
}

async function load(model: OpenModel<string>, options: ConvertOptions): Promise<HeldModel> {
  const { progress, signal } = options;
  return HeldModel.load(backendOf(options), model, { ...(progress && { progress }), ...(signal && { signal }) });
}

interface Writing extends ConvertOptions {
  readonly importance?: ReadonlyMap<string, Float32Array>;
}

/** @returns the parameters as they were written */
type Write = (model: OpenModel<string>, to: string, options: Writing) => Promise<readonly Omit<ConvertedTensor, "error">[]>;

function writerOf(form: Conversion["form"], type: FileType): Write {
  if (form === "GGUF")
    return async (model, to, options) => {
      const rows = parameterRows(model.config);
      return (await writeGguf(to, model, { ...options, type })).map((tensor, i) => ({ ...tensor, shape: rows[i]!.shape }));
    };
  if (!isFloatType(type)) {
    const known = Object.keys(floatTypes).join(", ");
    const message = `the type is ${type}, but a Hugging Face folder has ${known}: take one of these, or let the name end in .gguf`;
    throw new UsageError(where, message, { ways: ["type"] });
  }
  return async (model, to, options) => {
    await writeHfFolder(to, model, { ...options, type: floatTypes[type] });
    return parameterRows(model.config).map(({ name, shape }) => ({ parameter: name, name: hfName(name), shape, dtype: type }));
  };
}

async function bytesAt(path: string): Promise<number> {
  const found = await stat(path);
  if (!found.isDirectory()) return found.size;
  const sizes = (await readdir(path)).map((name) => bytesAt(join(path, name)));
  return (await Promise.all(sizes)).reduce((sum, bytes) => sum + bytes, 0);
}
