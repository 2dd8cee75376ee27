// A model's weights as Hugging Face's safetensors: every parameter under its name there, in one file or in several with an index
// (huggingface_hub, serialization/_base.py, split_state_dict_into_shards_factory).
import { check, fail } from "../base/index.ts";
import { type LlamaConfig, type ParameterRow, parameterRows, piecesOf, type WeightSource } from "../model/index.ts";
import { narrowBfloat16, narrowFloat16 } from "./half-floats.ts";
import { hfName } from "./hf-names.ts";
import type { JsonObject } from "./json.ts";
import { byteSize, type TensorToWrite, writeSafetensors } from "./safetensors-write.ts";

/** The types in which weights are written, by the names that torch has for them. */
export const floatTypes = ["float32", "bfloat16", "float16"] as const;
/** The type of weights in a Hugging Face folder. */
export type FloatType = (typeof floatTypes)[number];

/** What the files of a model's weights hold: their bytes by file name, and the index where they are several. */
export interface HfWeightFiles {
  readonly files: ReadonlyMap<string, AsyncIterable<Uint8Array>>;
  /** The document of model.safetensors.index.json. */
  readonly index?: JsonObject;
  /** Bytes of all tensors. */
  readonly bytes: number;
}

/** The size of a file of weights at most, as transformers 4 has it. */
export const usualShardBytes = 5e9;
/** Elements that are in memory at a time. */
const pieceElements = 1 << 20;

/**
 * The files for a model's weights. A tensor lies in one file, so that one which is larger than `maxShardBytes` has a file of its own.
 * @throws CriaError for a size of files that is none; while a file is read, where a number is beyond the type's range
 */
export function hfWeightFiles(
  { config, weights }: { readonly config: LlamaConfig; readonly weights: WeightSource },
  { type = "float32", maxShardBytes = usualShardBytes }: { readonly type?: FloatType; readonly maxShardBytes?: number } = {},
): HfWeightFiles {
  check(maxShardBytes >= 1, "convert", () => `maxShardBytes is ${maxShardBytes}: a file has at least one byte`);
  const tensors = parameterRows(config).map((row): TensorToWrite => {
    return { name: hfName(row.name), dtype: dtypes[type], shape: row.shape, data: () => narrowed(weights, row, type) };
  });
  const shards = inShards(tensors, maxShardBytes);
  const named = shards.map((shard, i) => [shards.length === 1 ? "model.safetensors" : shardName(i + 1, shards.length), shard] as const);
  const places = named.flatMap(([file, shard]) => shard.map(({ name }) => [name, file] as const)).sort(([a], [b]) => (a < b ? -1 : 1));
  const bytes = tensors.reduce((sum, tensor) => sum + byteSize(tensor), 0);
  return {
    files: new Map(named.map(([file, shard]) => [file, writeSafetensors(shard, { format: "pt" })])),
    ...(shards.length > 1 && { index: { metadata: { total_size: bytes }, weight_map: Object.fromEntries(places) } }),
    bytes,
  };
}

const dtypes = { float32: "F32", bfloat16: "BF16", float16: "F16" } as const satisfies Record<FloatType, TensorToWrite["dtype"]>;

function shardName(number: number, count: number): string {
  return `model-${String(number).padStart(5, "0")}-of-${String(count).padStart(5, "0")}.safetensors`;
}

/** Consecutive tensors, as many as fit into a file. */
function inShards(tensors: readonly TensorToWrite[], maxShardBytes: number): TensorToWrite[][] {
  const shards: TensorToWrite[][] = [];
  let last: TensorToWrite[] = [];
  let left = 0;
  for (const tensor of tensors) {
    const bytes = byteSize(tensor);
    if (shards.length === 0 || bytes > left) {
      last = [];
      shards.push(last);
      left = maxShardBytes;
    }
    last.push(tensor);
    left -= bytes;
  }
  return shards;
}

async function* narrowed(weights: WeightSource, row: ParameterRow, type: FloatType): AsyncGenerator<ArrayBufferView> {
  for await (const piece of piecesOf(weights, row, pieceElements)) yield type === "float32" ? piece : inHalf(row.name, piece, type);
}

/** A finite number that becomes infinity would make a model compute NaN, far from where it came from. */
function inHalf(name: string, values: Float32Array, type: "bfloat16" | "float16"): Uint16Array {
  const { narrow, infinity } = halves[type];
  const bits = narrow(values);
  const at = bits.findIndex((half, i) => (half & 0x7fff) === infinity && Number.isFinite(values[i]));
  if (at < 0) return bits;
  return fail("convert", `parameter ${name} has ${values[at]}, which is beyond the range of ${type}: choose another type`, {
    ways: ["type"],
  });
}

const halves = {
  bfloat16: { narrow: narrowBfloat16, infinity: 0x7f80 },
  float16: { narrow: narrowFloat16, infinity: 0x7c00 },
} as const;
