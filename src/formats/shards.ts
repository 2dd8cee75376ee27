// A model in several files, told apart by model.safetensors.index.json or pytorch_model.bin.index.json (Hugging Face's sharded checkpoints).
import { type ByteSource, check, fail } from "../base/index.ts";
import { isObject, kindOf, parseJsonObject, quote } from "./json.ts";
import { TensorFile } from "./tensor-file.ts";

const where = "shards";
/** The limit is that of a header: an index has a line per tensor, never more. */
const maxIndexBytes = 100_000_000;

/**
 * Opens every file that the index names through `open`, reads it by `read`, and gives their tensors as one file.
 * @throws CriaError when the index is damaged, names a file outside its folder, places a tensor where it is not, or leaves one out.
 */
export async function readShards(
  index: ByteSource,
  open: (fileName: string) => Promise<ByteSource>,
  read: (source: ByteSource) => Promise<TensorFile>,
): Promise<TensorFile> {
  check(
    index.size <= maxIndexBytes,
    where,
    () => `${index.name}: it has ${index.size} bytes but an index has at most ${maxIndexBytes}: it is not an index`,
  );
  const places = readWeightMap(index.name, await index.read(0, index.size));
  const files = new Map<string, TensorFile>();
  for (const file of new Set(places.values())) files.set(file, await read(await open(file)));
  const tensors = Array.from(places, ([name, file]) => {
    const found = files.get(file)!.tensors.get(name);
    return found ?? fail(where, `${index.name}: it places tensor ${quote(name)} in ${file}, which does not have it: fetch both again`);
  });
  for (const [file, shard] of files)
    for (const name of shard.tensors.keys())
      check(
        places.get(name) === file,
        where,
        () =>
          `${index.name}: ${file} holds tensor ${quote(name)}, which the index places ${places.has(name) ? `in ${places.get(name)}` : "nowhere"}: fetch both again`,
      );
  return new TensorFile([...files.values()][0]?.format ?? where, index.name, tensors);
}

/** Tensor name → file name. */
function readWeightMap(name: string, bytes: Uint8Array): Map<string, string> {
  const { weight_map: map, metadata } = parseJsonObject(where, name, bytes, { unique: true });
  check(
    isObject(metadata ?? {}),
    where,
    () => `${name}: metadata is ${kindOf(metadata)} but must be an object: the index is damaged, fetch it again`,
  );
  check(isObject(map), where, () => `${name}: weight_map is ${kindOf(map)} but must be an object of tensor names and file names`);
  const places = Object.entries(map).map(([tensor, file]): [string, string] => {
    const isPlain = typeof file === "string" && /^[^/\\:\0]+$/.test(file) && file !== "." && file !== "..";
    check(
      isPlain,
      where,
      () => `${name}: tensor ${quote(tensor)} lies in ${kindOf(file)} but a shard's name is a plain file name: the index is damaged`,
    );
    return [tensor, file];
  });
  check(places.length > 0, where, () => `${name}: weight_map is empty: the index is damaged, fetch it again`);
  return new Map(places);
}
