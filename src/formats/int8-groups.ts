// Signed bytes in groups that share a scale, as llama2.c stores matrices (export.py, quantize_q80): value = scale · byte, in float32.
//
//   | i8 × elements | f32 × elements / group |       a group may reach from one row into the next
import type { ByteSource } from "../base/index.ts";

/** Where the groups of one tensor lie. */
export interface Int8Groups {
  readonly start: number;
  readonly elements: number;
  /** Elements that share a scale; they divide `elements`. */
  readonly group: number;
}

/** Bytes that the groups take in their file. */
export function int8GroupBytes({ elements, group }: Omit<Int8Groups, "start">): number {
  return elements + 4 * (elements / group);
}

/** The same numbers as a source of float32, little-endian, which are computed where they are read. */
export function int8GroupSource(source: ByteSource, groups: Int8Groups): ByteSource {
  return {
    name: source.name,
    size: 4 * groups.elements,
    async read(offset, length) {
      const [first, end] = [Math.floor(offset / 4), Math.ceil((offset + length) / 4)];
      const bytes = await readValues(source, groups, first, end - first);
      return bytes.subarray(offset - 4 * first, offset - 4 * first + length);
    },
  };
}

async function readValues(source: ByteSource, { start, elements, group }: Int8Groups, first: number, count: number): Promise<Uint8Array> {
  const [from, to] = [Math.floor(first / group), Math.ceil((first + count) / group)];
  const bytes = await source.read(start + first, count);
  const scaleBytes = await source.read(start + elements + 4 * from, 4 * (to - from));
  const steps = new Int8Array(bytes.buffer, bytes.byteOffset, count);
  const scales = new Float32Array(scaleBytes.slice().buffer); // a copy begins at a multiple of four
  const values = Float32Array.from(steps);
  for (const [g, scale] of scales.entries()) {
    const end = Math.min((from + g + 1) * group - first, count);
    for (let i = Math.max(0, (from + g) * group - first); i < end; i++) values[i]! *= scale;
  }
  return new Uint8Array(values.buffer);
}
