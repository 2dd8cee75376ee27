// Any open model as a GGUF that llama.cpp and its relatives run: metadata with config, vocabulary, chat templates and ends, and every parameter in the
// layout that the type of file has for it.
import { basename, resolve } from "node:path";
import { bytesOf, CriaError, type OnProgress, sizeOf } from "../base/index.ts";
import { atomicWrite } from "../files/index.ts";
import {
  type ChosenLayout,
  type FileType,
  type GgufTensor,
  ggufConfig,
  ggufFile,
  ggufModelPairs,
  ggufName,
  ggufPairings,
  inPairing,
  layoutFor,
} from "../formats/index.ts";
import { type ParameterRow, parameterCount, parameterRows, piecesOf, type WeightSource } from "../model/index.ts";
import type { OnWarning, OpenModel } from "../open/index.ts";
import { QuantiseThreads } from "./quantise-threads.ts";

/** How a GGUF is written. */
export interface GgufOptions {
  /** The type of the file, from which the layout of every parameter follows. @default "f32" */
  readonly type?: FileType;
  /** What the squared error of a column counts, by parameter; all columns alike where a parameter has none. */
  readonly importance?: ReadonlyMap<string, Float32Array>;
  /** What the model is called in the file. @default the name of the model's file or folder */
  readonly name?: string;
  /** Another tokenizer than the model's own, by its path. */
  readonly tokenizer?: string;
  /** Hears a sentence for each thing that the model's files say and cria does not follow, or that the file cannot hold. */
  readonly onWarning?: OnWarning;
  readonly progress?: OnProgress;
  readonly signal?: AbortSignal;
}

/** A parameter as it was written. */
export interface WrittenTensor extends ChosenLayout {
  /** The parameter's name. */
  readonly parameter: string;
  /** Its name in the file. */
  readonly name: string;
}

const where = "convert";
/** Values of a piece: several make a matrix of a small model, so that threads share it. */
const pieceValues = 1 << 18;

/**
 * Writes a model as one file, whole or not at all, a piece of a tensor per thread in memory at a time. What has its layout already keeps its bytes. A file
 * that is at the path is replaced.
 * @throws CriaError where a GGUF cannot hold the model, or a layout a parameter's values; the signal's reason when it aborts
 */
export async function writeGguf(path: string, model: OpenModel<string>, options: GgufOptions = {}): Promise<readonly WrittenTensor[]> {
  const { type = "f32", importance, onWarning = () => undefined } = options;
  const config = ggufConfig(model.config);
  const paired = inPairing(ggufPairings[config.architecture], model);
  const pairs = await pairsOf(model, config, options);
  const rows = parameterRows(paired.config);
  const hear = hearer(parameterCount(model.config), options);
  await using threads = new QuantiseThreads();
  const written = rows.map((row) => ({
    ...{ parameter: row.name, name: ggufName(row.name) },
    ...layoutFor(row, type, paired.config, importance !== undefined),
  }));
  const tensors = rows.map((row, i): GgufTensor => {
    const { name, dtype } = written[i]!;
    return { name, dtype, shape: row.shape, data: () => bytesIn(paired.weights, row, dtype, { importance, threads, hear }) };
  });
  for (const warning of pairs.warnings) onWarning(`[${where}] ${path}: ${warning}`);
  await atomicWrite(path, ggufFile(pairs.pairs, [...config.tensors, ...tensors]), where);
  return written;
}

async function pairsOf(model: OpenModel<string>, config: ReturnType<typeof ggufConfig>, options: GgufOptions) {
  const { type = "f32", tokenizer: other, onWarning } = options;
  const tokenizer = await model.openTokenizer(other, onWarning);
  const { templateTexts: templates, endOfTurn: endIds } = await model.openChat(tokenizer, other, onWarning);
  const { generation } = model;
  const name = options.name ?? nameOf(model.path);
  return ggufModelPairs({
    name,
    type,
    config,
    vocabSize: model.config.vocabSize,
    tokenizer: tokenizer.model,
    templates,
    endIds,
    generation,
  });
}

/** The name in `hf:owner/name`, or of a file or folder. */
function nameOf(path: string): string {
  return /^hf:[^/]+\/([^/@:]+)/.exec(path)?.[1] ?? basename(resolve(path)).replace(/\.(?:gguf|bin)$/i, "");
}

interface Writing {
  readonly importance: GgufOptions["importance"];
  readonly threads: QuantiseThreads;
  hear(values: number): void;
}

/** Tells how many values are written, and stops where the signal says so. */
function hearer(total: number, { progress, signal }: GgufOptions): (values: number) => void {
  let done = 0;
  return (values) => {
    signal?.throwIfAborted();
    done += values;
    progress?.({ task: "writing weights", done, total, unit: "weights" });
  };
}

/** A parameter's bytes in a layout: as they are stored where they have it already, else of its values. */
async function* bytesIn(weights: WeightSource, row: ParameterRow, dtype: ChosenLayout["dtype"], { importance, hear, threads }: Writing) {
  const stored = weights.stored?.(row);
  const [columns, size] = [row.shape.at(-1) ?? 1, sizeOf(row.shape)];
  const perByte = size / bytesOf(dtype, row.shape);
  const pieces = () => piecesOf(weights, row, columns * Math.max(1, Math.floor(pieceValues / columns)));
  const chunks =
    stored?.dtype === dtype ? stored.bytes() : threads.write(pieces(), { dtype, columns, importance: importance?.get(row.name) });
  try {
    for await (const chunk of chunks) {
      hear(chunk.length * perByte);
      yield chunk;
    }
  } catch (error) {
    if (!(error instanceof CriaError) || error.where !== "quantise") throw error;
    throw new CriaError(where, `parameter ${row.name}: ${error.message.replace(/^\[\w+\] /, "")}`, { cause: error, ways: ["type"] });
  }
}
