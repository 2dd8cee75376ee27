// A tensor that lies in parts in several files, as model parallelism cuts it (Shoeybi et al. 2019, arXiv 1909.08053; fairscale): one whose rows or
// columns are joined when they are read.
import { type ByteSource, fail, type Shape, sameShape, showShape } from "../base/index.ts";
import { quote } from "./json.ts";
import type { TensorInfo } from "./tensor-file.ts";

const where = "shards";

/**
 * The parts as one tensor of the given shape. Which way they were cut shows in their shapes: each has all of it, or its rows, or its columns.
 * @param mayRepeat whether several parts in a row may have the same rows, as keys and values have where there are more files than their heads
 * @throws CriaError where the parts do not make the shape
 */
export function joinTensors(parts: readonly TensorInfo[], shape: Shape, mayRepeat: boolean): TensorInfo {
  const [first] = parts;
  if (first === undefined) return fail(where, "a tensor of no parts was asked for");
  const odd = parts.find((part) => part.dtype !== first.dtype || !sameShape(part.shape, first.shape));
  if (odd !== undefined)
    return fail(
      where,
      `tensor ${quote(first.name)} is ${first.dtype} ${showShape(first.shape)} in ${first.source.name} but ${odd.dtype} ${showShape(odd.shape)} in ${odd.source.name}: the files belong to different models`,
    );
  if (parts.length === 1 || sameShape(first.shape, shape)) return first;
  const [rows = 0, columns = 0] = first.shape;
  const [allRows = 0, allColumns = 0] = shape;
  const each = first.end - first.start;
  const copies = (rows * parts.length) / allRows;
  const isRows = copies === 1 || (mayRepeat && copies > 1 && parts.length % copies === 0);
  if (shape.length === 2 && columns === allColumns && isRows) {
    return joined(
      first,
      shape,
      byRows(
        parts.filter((_, i) => i % copies === 0),
        each,
      ),
    );
  }
  if (shape.length === 2 && rows === allRows && columns * parts.length === allColumns)
    return joined(first, shape, byColumns(parts, rows, each / rows));
  return fail(
    where,
    `tensor ${quote(first.name)} is ${showShape(first.shape)} in each of ${parts.length} files, which are neither rows nor columns of ${showShape(shape)}: a file is missing, or params.json is another model's`,
  );
}

function joined({ name, dtype }: TensorInfo, shape: Shape, source: ByteSource): TensorInfo {
  return { name, dtype, shape, source, start: 0, end: source.size };
}

/** One part of `each` bytes behind another. */
function byRows(parts: readonly TensorInfo[], each: number): ByteSource {
  return {
    name: nameOf(parts),
    size: each * parts.length,
    async read(offset, length) {
      const bytes = new Uint8Array(length);
      for (const [i, { source, start }] of parts.entries()) {
        const [from, to] = [Math.max(offset, i * each), Math.min(offset + length, (i + 1) * each)];
        if (from < to) bytes.set(await source.read(start + from - i * each, to - from), from - offset);
      }
      return bytes;
    },
  };
}

/** A row of each part, of `each` bytes, behind another, row after row. */
function byColumns(parts: readonly TensorInfo[], rows: number, each: number): ByteSource {
  const row = each * parts.length;
  return {
    name: nameOf(parts),
    size: row * rows,
    async read(offset, length) {
      const [first, end] = [Math.floor(offset / row), Math.ceil((offset + length) / row)];
      const whole = new Uint8Array((end - first) * row);
      for (const [i, { source, start }] of parts.entries()) {
        const bytes = await source.read(start + first * each, (end - first) * each);
        for (let r = 0; r < end - first; r++) whole.set(bytes.subarray(r * each, (r + 1) * each), r * row + i * each);
      }
      return whole.subarray(offset - first * row, offset - first * row + length);
    },
  };
}

function nameOf(parts: readonly TensorInfo[]): string {
  return parts.map(({ source }) => source.name).join(" + ");
}
