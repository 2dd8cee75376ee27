// Random-weight GGUFs of two shapes that people run, so that speeds are compared without a download:
//
//   node bench/write-models.mjs [FOLDER] [--shape 135M,1.1B] [--type q8_0,q4_0,q4_K] [--seed 1]
//
// cria's own writer makes them, as `cria convert` does. A file that is there is not made again; its name says its shape, type and seed.
import { existsSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Rng, sizeOf } from "../dist/base/index.js";
import { writeGguf } from "../dist/convert/index.js";
import { fileTypeOf, fileTypes } from "../dist/formats/index.js";
import { llamaConfig } from "../dist/model/index.js";
import { byteFallbackPiece, createTokenizer, spaceMark } from "../dist/tokenizer/index.js";

/** Contexts are long enough for 8,192 tokens before those that are written; GGUFs of `llama` pair neighbours, so that nothing is permuted. */
const common = { contextLength: 16384, ropePairing: "neighbours" };

/** The shapes of SmolLM2-135M and TinyLlama-1.1B. */
export const shapes = {
  "135M": llamaConfig({
    ...{ ...common, vocabSize: 49152, dim: 576, nLayers: 30, nHeads: 9, nKvHeads: 3, hiddenDim: 1536 },
    ...{ tiedOutput: true, ropeTheta: 100000 },
  }),
  "1.1B": llamaConfig({ ...common, vocabSize: 32000, dim: 2048, nLayers: 22, nHeads: 32, nKvHeads: 4, hiddenDim: 5632 }),
};

/** The types that tables of speeds have. */
export const usualTypes = ["q8_0", "q4_0", "q4_K"];
/** Where files lie unless a folder is named. */
export const usualFolder = join(tmpdir(), "cria-models");

/** The path of the file of this shape and type, which is written where it is not there. The same seed gives the same bytes. */
export async function randomModel(folder, shape, type, seed = 1) {
  const path = join(folder, `random-${shape}-${type}-seed${seed}.gguf`);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  await writeRandomModel(path, shapes[shape], { type, seed, name: `random ${shape}` });
  return path;
}

/** Writes a model of any config, whose vocabulary must have 272 tokens or more. */
export async function writeRandomModel(path, config, { type, seed, name }) {
  const tokenizer = createTokenizer(madeUpVocabulary(config.vocabSize));
  const model = {
    ...{ path, config, generation: {}, weights: randomWeights(seed) },
    openTokenizer: async () => tokenizer,
    openChat: async () => ({ templateTexts: new Map(), endOfTurn: [] }),
  };
  await writeGguf(path, model, { type: fileTypeOf(type), name });
}

/** LLaMA's kind of vocabulary of any size: control pieces, bytes, and words in the order of their lengths, each with and without a space in front. */
function madeUpVocabulary(size) {
  const first = ["<unk>", "<s>", "</s>", ...Array.from({ length: 256 }, (_, byte) => byteFallbackPiece(byte)), spaceMark];
  const pieces = [...first];
  const grow = (word) => [...letters].flatMap((letter) => [word + letter, ...(word === "" ? [spaceMark + letter] : [])]);
  for (let words = grow(""); pieces.length < size; words = words.flatMap(grow))
    for (const word of words.slice(0, size - pieces.length)) pieces.push(word);
  return {
    ...{ kind: "sentencepiece", pieces, scores: pieces.map((_, id) => (id < first.length ? 0 : first.length - id)) },
    ...{ specials: [0, 1, 2], unkId: 0, bosId: 1, eosId: 2, template: { before: [1], after: [] } },
    ...{ byteFallback: true, dummyPrefix: "each", prefixBeforeSpace: true },
  };
}

const letters = "etaoinshrdlcumwfgypbvkjxqz";

/** Each row of a matrix is a stretch of one table of normal numbers from a random place on: a billion draws would take a minute. */
function randomWeights(seed) {
  const rng = new Rng(seed);
  const table = Float32Array.from({ length: 1 << 20 }, () => rng.normal());
  async function* pieces({ name, shape, init }, elements) {
    const [places, columns, size] = [rng.fork(name), shape.at(-1), sizeOf(shape)];
    for (let at = 0; at < size; at += elements) {
      const values = new Float32Array(Math.min(elements, size - at));
      if (init === "ones") values.fill(1);
      else
        for (let row = 0; row < values.length; row += columns) {
          const place = places.below(table.length - columns);
          for (let i = 0; i < columns; i++) values[row + i] = init * table[place + i];
        }
      yield values;
    }
  }
  return { pieces };
}

function parseFlags(args) {
  const string = { type: "string" };
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options: { shape: string, type: string, seed: string } });
  return {
    folder: positionals[0] ?? usualFolder,
    shapes: listOf("--shape", values.shape ?? Object.keys(shapes).join(), Object.keys(shapes)),
    types: listOfTypes(values.type ?? usualTypes.join()),
    seed: Number(values.seed ?? 1),
  };
}

/** The types in a list with commas. @throws Error for one that is not known */
export function listOfTypes(text) {
  return listOf("--type", text, [...fileTypes, "q4_K", "q5_K"]);
}

/** The names in a list with commas. @throws Error for one that is not known */
export function listOf(flag, text, known) {
  const names = text.split(",");
  const odd = names.find((name) => !known.includes(name));
  if (odd !== undefined) throw new Error(`[bench] ${flag} has "${odd}": there are ${known.join(", ")}`);
  return names;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { folder, shapes, types, seed } = parseFlags(process.argv.slice(2));
  for (const shape of shapes) for (const type of types) console.log(await randomModel(folder, shape, type, seed));
}
