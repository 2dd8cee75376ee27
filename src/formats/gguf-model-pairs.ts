// All metadata of a model's GGUF: what it is, its config, its vocabulary in as many pieces as the model has tokens, chat templates, the ids that end
// a turn, and how it is sampled (gguf-py, gguf/constants.py).
import type { TokenizerModel } from "../tokenizer/index.ts";
import type { GenerationConfig } from "./generation-config.ts";
import type { GgufConfig } from "./gguf-config-write.ts";
import type { GgufType } from "./gguf-cursor.ts";
import type { GgufArray, GgufValue } from "./gguf-metadata.ts";
import { ggufSampling } from "./gguf-sampling.ts";
import { ggufTokenizerPairs, paddingPiece } from "./gguf-tokenizer.ts";
import { type FileType, fileTypeNumber } from "./quantise/index.ts";

/** What a GGUF says beside its tensors. */
export interface GgufModel {
  /** What the model is called. */
  readonly name: string;
  readonly type: FileType;
  readonly config: GgufConfig;
  /** How many tokens the model has. */
  readonly vocabSize: number;
  readonly tokenizer: TokenizerModel;
  /** Chat templates by name. */
  readonly templates: ReadonlyMap<string, string>;
  /** All ids that end a turn. */
  readonly endIds: readonly number[];
  readonly generation: Omit<GenerationConfig, "eosTokenIds">;
}

/** Metadata, and a sentence for each thing that has no place in it. */
export interface GgufModelPairs {
  readonly pairs: ReadonlyMap<string, GgufValue>;
  readonly warnings: readonly string[];
}

/** The version of how ggml quantises, which has not changed since 2023. */
const quantisationVersion = 2;

/** @throws CriaError for a vocabulary that a GGUF cannot say */
export function ggufModelPairs(model: GgufModel): GgufModelPairs {
  const { name, type, config } = model;
  const vocabulary = vocabularyPairs(model);
  const ends = endPairs(model);
  const sampling = ggufSampling(model.generation);
  const pairs = new Map<string, GgufValue>([
    scalar("general.architecture", "text", config.architecture),
    scalar("general.type", "text", "model"),
    scalar("general.name", "text", name),
    scalar("general.file_type", "u32", fileTypeNumber(type)),
    scalar("general.quantization_version", "u32", quantisationVersion),
    ...sampling.pairs,
    ...config.pairs,
    ...vocabulary.pairs,
    ...ends.pairs,
    ...templatePairs(model.templates),
  ]);
  return { pairs, warnings: [...config.warnings, ...vocabulary.warnings, ...ends.warnings, ...sampling.warnings] };
}

/** Pairs, and what they leave out. */
interface Part {
  readonly pairs: readonly (readonly [string, GgufValue])[];
  readonly warnings: readonly string[];
}

function scalar(key: string, type: GgufType, value: number | string): readonly [string, GgufValue] {
  return [key, { type, value }];
}

const unused = 5;
/** What each list of a piece's properties holds for a piece that nothing is encoded to. */
const padding: Readonly<Record<string, (id: number) => string | number>> = {
  "tokenizer.ggml.tokens": paddingPiece,
  "tokenizer.ggml.token_type": () => unused,
  "tokenizer.ggml.scores": () => -10000,
};

/** llama.cpp takes the number of pieces for that of tokens: padded rows get pieces, and pieces without a row are left out. */
function vocabularyPairs({ tokenizer, vocabSize }: GgufModel): Part {
  const pairs = [...ggufTokenizerPairs(tokenizer)];
  const count = tokenizer.pieces.length;
  if (count === vocabSize) return { pairs, warnings: [] };
  const fitted = pairs.flatMap(([key, value]): (readonly [string, GgufValue])[] => {
    const pad = padding[key];
    if (pad !== undefined) return [[key, { type: "array", value: resized(value.value as GgufArray, vocabSize, pad) }]];
    return key.endsWith("_token_id") && Number(value.value) >= vocabSize ? [] : [[key, value]];
  });
  const left = `the tokenizer has ${count} pieces but the model ${vocabSize} tokens: those behind are left out, as nothing can write them`;
  return { pairs: fitted, warnings: count > vocabSize ? [left] : [] };
}

function resized({ type, values }: GgufArray, size: number, pad: (id: number) => string | number): GgufArray {
  const kept = [...(values as Iterable<string | number>)].slice(0, size);
  return { type, values: [...kept, ...Array.from({ length: size - kept.length }, (_, i) => pad(kept.length + i))] };
}

/** Three keys name an end each. */
const endKeys = ["eos_token_id", "eot_token_id", "eom_token_id"] as const;

function endPairs({ tokenizer: { eosId }, endIds }: GgufModel): Part {
  const ids = [...new Set([...(eosId === undefined ? [] : [eosId]), ...endIds])];
  const pairs = endKeys.flatMap((key, i) => (ids[i] === undefined ? [] : [scalar(`tokenizer.ggml.${key}`, "u32", ids[i])]));
  const left = ids.slice(endKeys.length);
  const warning = `a GGUF names ${endKeys.length} ids that end a turn: of ${ids.length}, ${left.join(", ")} are left out`;
  return { pairs, warnings: left.length === 0 ? [] : [warning] };
}

function templatePairs(templates: ReadonlyMap<string, string>): (readonly [string, GgufValue])[] {
  const key = "tokenizer.chat_template";
  const named = [...templates.keys()].filter((name) => name !== "default");
  return [
    ...[...templates].map(([name, text]) => scalar(name === "default" ? key : `${key}.${name}`, "text", text)),
    ...(named.length === 0 ? [] : [[`${key}s`, { type: "array", value: { type: "text", values: named } }] as const]),
  ];
}
