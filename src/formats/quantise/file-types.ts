// Which layout each parameter has in a GGUF of a type, as llama.cpp chooses (src/llama-quant.cpp: llama_tensor_get_type_impl, use_more_bits,
// tensor_type_fallback): matrices have the type's layout, those that matter most a larger one, and vectors are float32.
import { elementLayouts } from "../../base/index.ts";
import type { LlamaConfig, ParameterRow } from "../../model/index.ts";
import type { WritableDType } from "./quantise-rows.ts";

/** The types by name: the layout of most matrices, and the number that llama.cpp has for the type (llama.h, enum llama_ftype). */
const rows = {
  f32: ["f32", 0],
  f16: ["f16", 1],
  bf16: ["bf16", 32],
  q8_0: ["q8_0", 7],
  q4_0: ["q4_0", 2],
  q4_1: ["q4_1", 3],
  q5_0: ["q5_0", 8],
  q5_1: ["q5_1", 9],
  q4_K_S: ["q4_K", 14],
  q4_K_M: ["q4_K", 15],
  q5_K_S: ["q5_K", 16],
  q5_K_M: ["q5_K", 17],
  q6_K: ["q6_K", 18],
} as const satisfies Record<string, readonly [WritableDType, number]>;

/** A type of file. */
export type FileType = keyof typeof rows;
/** All types of files. */
export const fileTypes = Object.keys(rows) as readonly FileType[];

/** Other words for types, as llama.cpp has them. */
const aliases: Readonly<Record<string, FileType>> = { q4_K: "q4_K_M", q5_K: "q5_K_M" };

/** The type of that name, in large letters or small; undefined where there is none. */
export function fileTypeOf(name: string): FileType | undefined {
  const isIt = (known: string) => known.toLowerCase() === name.toLowerCase();
  return fileTypes.find(isIt) ?? aliases[Object.keys(aliases).find(isIt) ?? ""];
}

/** llama.cpp's number for the type. */
export function fileTypeNumber(type: FileType): number {
  return rows[type][1];
}

/** The layout of a parameter. */
export interface ChosenLayout {
  readonly dtype: WritableDType;
  /** What the type asks for, where rows are no whole blocks of it. */
  readonly wanted?: WritableDType;
}

/** @param isCalibrated whether columns have an importance: some types then have a larger layout in the first layers */
export function layoutFor(row: ParameterRow, type: FileType, config: LlamaConfig, isCalibrated: boolean): ChosenLayout {
  const [base] = rows[type];
  if (row.shape.length < 2) return { dtype: "f32" };
  const columns = row.shape[1]!;
  if (elementLayouts[base].block === 1) return { dtype: base };
  return fitting(wantedLayout(row.name, type, config, isCalibrated), columns);
}

function wantedLayout(name: string, type: FileType, config: LlamaConfig, isCalibrated: boolean): WritableDType {
  const [base] = rows[type];
  if (name === (config.tiedOutput ? "embedding" : "output")) return base === "q8_0" ? base : "q6_K";
  const [, digits, part] = /^layers\.(\d+)\.(.+)$/.exec(name) ?? [];
  if (part !== "attention.value" && part !== "ffn.down") return base;
  const [layer, { nLayers }] = [Number(digits), config];
  const eighth = Math.floor(nLayers / 8);
  const isMixed = type === "q4_K_M" || type === "q5_K_M";
  if (isMixed && hasMoreBits(layer, nLayers)) return "q6_K";
  if (part === "attention.value") {
    if (type === "q4_K_S" && layer < 4) return "q5_K";
    // The values of the largest models are shared by eight heads, so that more bits cost little.
    return base === "q4_K" && nLayers === 80 && config.nHeads !== config.nKvHeads ? "q5_K" : base;
  }
  if (type === "q4_K_S" && layer < eighth) return "q5_K";
  if (isCalibrated && layer < eighth && (type === "q4_0" || type === "q5_0")) return type === "q4_0" ? "q4_1" : "q5_1";
  return base;
}

/** The first and the last eighth of the layers, and every third between them. */
function hasMoreBits(layer: number, nLayers: number): boolean {
  const eighth = Math.floor(nLayers / 8);
  return layer < eighth || layer >= Math.floor((7 * nLayers) / 8) || (layer - eighth) % 3 === 2;
}

/** What stands for a layout where a row is no whole number of its blocks. */
const smaller: Partial<Record<WritableDType, WritableDType>> = { q4_K: "q5_0", q5_K: "q5_1", q6_K: "q8_0" };

function fitting(wanted: WritableDType, columns: number): ChosenLayout {
  const fits = (dtype: WritableDType) => columns % elementLayouts[dtype].block === 0;
  if (fits(wanted)) return { dtype: wanted };
  const next = smaller[wanted];
  return { dtype: next !== undefined && fits(next) ? next : "f16", wanted };
}
