// The weights of Meta's folders: consolidated.00.pth and those behind it, each with a part of every matrix (meta-llama/llama, llama/model.py).
import { check, fail } from "../base/index.ts";
import { parameterRows } from "../model/index.ts";
import { hfName } from "./hf-names.ts";
import { joinTensors } from "./joined-tensors.ts";
import { type MetaParams, type MetaWeightsSaid, readMetaParams } from "./meta-params.ts";
import { TensorFile, type TensorInfo } from "./tensor-file.ts";

/** A model of Meta's: its config, and its tensors under Hugging Face's names. */
export interface MetaModel extends MetaParams {
  readonly tensors: TensorFile;
}

const where = "meta";

/** Parts of a path in ours → names there. */
const names: Readonly<Record<string, string>> = {
  embedding: "tok_embeddings",
  attentionNorm: "attention_norm",
  "attention.query": "attention.wq",
  "attention.key": "attention.wk",
  "attention.value": "attention.wv",
  "attention.output": "attention.wo",
  ffnNorm: "ffn_norm",
  "ffn.gate": "feed_forward.w1",
  "ffn.down": "feed_forward.w2",
  "ffn.up": "feed_forward.w3",
  finalNorm: "norm",
  output: "output",
};

/** RoPE's frequencies, which follow from the config. */
const redundant = "rope.freqs";

/**
 * A model out of its files.
 * @param name of the folder, for messages
 * @param files in the order of their numbers
 * @throws CriaError where params.json says what cria does not compute, or the files do not hold the model that it describes
 */
export function metaModel(
  name: string,
  params: { readonly name: string; readonly bytes: Uint8Array },
  files: readonly TensorFile[],
): MetaModel {
  const read = readMetaParams(params.name, params.bytes, tokensOf(files));
  const { nLayers } = read.config;
  const most = Math.max(...files.map((file) => file.tensors.size));
  check(
    nLayers <= most,
    where,
    () => `${params.name}: n_layers is ${nLayers} but a file has ${most} tensors: they belong to different models`,
  );
  const known = new Map(parameterRows(read.config).map((row) => [metaName(row.name), row]));
  const tensors = new Map<string, TensorInfo>();
  for (const [theirs, row] of known) {
    const joined = joinTensors(
      files.map((file) => file.info(theirs)),
      row.shape,
      /\.(?:key|value)$/.test(row.name),
    );
    tensors.set(theirs, { ...joined, name: hfName(row.name) });
  }
  for (const file of files)
    for (const theirs of file.tensors.keys())
      check(
        known.has(theirs) || theirs === redundant,
        where,
        () => `${file.name}: tensor "${theirs}" is not part of the model that ${params.name} describes: they belong to different models`,
      );
  const whole = new TensorFile(where, name, tensors.values());
  whole.expect([...known.values()].map((row) => ({ name: hfName(row.name), shape: row.shape })));
  return { ...read, tensors: whole };
}

/** "layers.0.attention.query" → "layers.0.attention.wq.weight" */
function metaName(parameter: string): string {
  const [, layer = "", path = ""] = /^(layers\.\d+\.)?(.*?)(?:\.gain)?$/.exec(parameter) ?? [];
  return `${layer}${names[path] ?? fail(where, `parameter "${parameter}" has no name there`)}.weight`;
}

/** The output projection's rows are cut in all generations; the table of tokens, which may stand for it, has all its columns where its rows are cut. */
function tokensOf(files: readonly TensorFile[]): MetaWeightsSaid {
  const [first] = files;
  if (first === undefined) return fail(where, "a model of no files was asked for");
  const output = first.tensors.get("output.weight");
  if (output !== undefined) return { vocabSize: (output.shape[0] ?? 0) * files.length, tiedOutput: false };
  const [rows = 0, columns = 0] = first.info("tok_embeddings.weight").shape;
  const isByRows = columns === first.info("norm.weight").shape[0];
  return { vocabSize: isByRows ? rows * files.length : rows, tiedOutput: true };
}

/** The files of a folder in order; a gap in their numbers is a file that is missing. */
export function metaFileNames(folder: string, names: Iterable<string>): readonly string[] {
  const found = [...names].filter(isMetaFile).sort();
  found.forEach((name, i) => {
    const expected = `consolidated.${String(i).padStart(2, "0")}.pth`;
    check(name === expected, where, () => `${folder}: it has ${name} but no ${expected}: fetch all files of the model`);
  });
  return found;
}

/** Whether a file of this name is one of Meta's files of weights. */
export function isMetaFile(name: string): boolean {
  return /^consolidated\.\d\d\.pth$/.test(name);
}
