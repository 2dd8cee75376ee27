// A model in several GGUF files, NAME-00001-of-00005.gguf and so on (ggml-org/llama.cpp, tools/gguf-split): the first has all metadata, maybe no
// tensors.
import { check, fail } from "../base/index.ts";
import type { GgufHead } from "./gguf-tensors.ts";
import { TensorFile } from "./tensor-file.ts";

const where = "gguf";
const pattern = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/;

/** The names of all parts of the model that a file of this name is a part of, the first one first; undefined where the name is no part's. */
export function ggufPartNames(file: string): readonly string[] | undefined {
  const [, name = "", part, parts] = pattern.exec(file) ?? [];
  const [at, count] = [Number(part), Number(parts)];
  if (part === undefined || at < 1 || at > count) return undefined;
  return Array.from({ length: count }, (_, i) => `${name}-${padded(i + 1)}-of-${padded(count)}.gguf`);
}

function padded(number: number): string {
  return String(number).padStart(5, "0");
}

/** A file's head, and what messages call the file. */
export interface NamedHead {
  readonly name: string;
  readonly head: GgufHead;
}

/** How many files the model has by this file's metadata. @throws CriaError where that is no number */
export function ggufPartCount({ name, head }: NamedHead): number {
  return wholeOf({ name, head }, "split.count") ?? 1;
}

/**
 * The tensors of all parts as those of one file, named as the first.
 * @throws CriaError where a part is another's, in another place, or tensors are missing or come twice
 */
export function joinGgufParts(parts: readonly NamedHead[]): TensorFile {
  const first = parts[0] ?? fail(where, "a model without files cannot be joined");
  if (parts.length > 1) parts.forEach((part, i) => checkPart(part, i, parts.length));
  const places = new Map<string, string>();
  for (const { name, head } of parts)
    for (const { name: tensor } of head.tensors) {
      const other = places.get(tensor);
      check(other === undefined, where, () => `${name}: its tensor "${tensor}" is in ${other}, too: fetch both again`);
      places.set(tensor, name);
    }
  const said = wholeOf(first, "split.tensors.count");
  check(
    said === undefined || said === places.size,
    where,
    () =>
      `${first.name}: its model has ${said} tensors by split.tensors.count, but its ${parts.length} files have ${places.size}: fetch them again`,
  );
  return new TensorFile(
    where,
    first.name,
    parts.flatMap(({ head }) => head.tensors),
  );
}

function checkPart(part: NamedHead, i: number, count: number): void {
  const [said, of] = [wholeOf(part, "split.no"), wholeOf(part, "split.count")];
  const place = said === undefined ? "no part" : `part ${said + 1} of ${of ?? "an unknown number"}`;
  check(
    said === i && of === count,
    where,
    () => `${part.name}: by its metadata it is ${place}, by its name ${i + 1} of ${count}: name the files as they were`,
  );
}

function wholeOf({ name, head }: NamedHead, key: string): number | undefined {
  const value = head.metadata.pairs.get(key)?.value;
  if (value === undefined) return undefined;
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0
    ? value
    : fail(where, `${name}: ${key} must be a whole number from 0: the file is damaged`);
}
