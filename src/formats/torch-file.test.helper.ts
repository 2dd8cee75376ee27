// Files in torch.save's form out of hand-written pickles, and mutations of real ones (test/goldens/meta.py).
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { expect } from "vitest";
import { CriaError, memorySource, Rng } from "../base/index.ts";
import { readTorchFile } from "./torch-file.ts";

/** Opcodes and operands of a pickle, one after another: numbers are bytes, texts are ASCII. */
export function pickle(...parts: readonly (number | string)[]): Uint8Array {
  return Uint8Array.from([0x80, 2, ...parts.flatMap((part) => (typeof part === "string" ? [...Buffer.from(part)] : [part])), 0x2e]);
}

/** BINUNICODE. */
export function text(value: string): string {
  return `X${String.fromCharCode(value.length)}\0\0\0${value}`;
}

/** GLOBAL. */
export function global(module: string, name: string): string {
  return `c${module}\n${name}\n`;
}

/** A tensor, of float32 in the entry "0" by default. */
export function tensor(
  shape: readonly number[],
  strides: readonly number[],
  { offset = 0, elements = 6, storage = "FloatStorage", key = "0" } = {},
): string {
  const tuple = (items: readonly string[]) => `(${items.join("")}t`;
  const integer = (value: number) => `J${String.fromCharCode(...new Uint8Array(Int32Array.of(value).buffer))}`;
  const id = tuple([text("storage"), global("torch", storage), text(key), text("cpu"), integer(elements)]);
  const args = tuple([
    `${id}Q`,
    integer(offset),
    tuple(shape.map(integer)),
    tuple(strides.map(integer)),
    "\x89",
    `${global("collections", "OrderedDict")})R`,
  ]);
  return `${global("torch._utils", "_rebuild_tensor_v2")}${args}R`;
}

/** The pickle as ASCII with bytes above it, as {@link tensor} gives it. */
export function dictOf(entries: Readonly<Record<string, string>>): Uint8Array {
  const body = Object.entries(entries).map(([key, value]) => `${text(key)}${value}s`);
  return Uint8Array.from([0x80, 2, ...Buffer.from(`}${body.join("")}.`, "latin1")]);
}

/** How an archive is written. */
export interface ZipOptions {
  /** 0 is stored. */
  readonly method?: number;
  /** Whether sizes and places stand in 64 bits, as those of large files do. */
  readonly isWide?: boolean;
  readonly comment?: string;
}

/** An archive with stored entries. */
export function zipOf(
  entries: Readonly<Record<string, Uint8Array>>,
  { method = 0, isWide = false, comment = "" }: ZipOptions = {},
): Uint8Array {
  const parts: Buffer[] = [];
  const central: Buffer[] = [];
  const size = (list: readonly Buffer[]) => list.reduce((sum, { length }) => sum + length, 0);
  for (const [name, bytes] of Object.entries(entries)) {
    const wide = numbers([16, 1], [16, 24], [64, bytes.length], [64, bytes.length], [64, size(parts)]);
    const [short, place, extra] = isWide ? [0xffffffff, 0xffffffff, wide] : [bytes.length, size(parts), Buffer.alloc(0)];
    const common: Field[] = [
      [16, 0],
      [16, method],
      [32, 0],
      [32, 0],
      [32, short],
      [32, short],
      [16, name.length],
    ];
    central.push(
      numbers([32, 0x02014b50], [16, 0], [16, 0], ...common, [16, extra.length], [16, 0], [16, 0], [16, 0], [32, 0], [32, place]),
    );
    central.push(Buffer.from(name), extra);
    parts.push(numbers([32, 0x04034b50], [16, 0], ...common, [16, 5]), Buffer.from(name), Buffer.alloc(5), Buffer.from(bytes));
  }
  const count = Object.keys(entries).length;
  const [start, length] = [size(parts), size(central)];
  const wideEnd = numbers([32, 0x06064b50], [64, 44], [32, 0], [32, 0], [32, 0], [64, count], [64, count], [64, length], [64, start]);
  const locator = numbers([32, 0x07064b50], [32, 0], [64, start + length], [32, 1]);
  const [shortCount, shortLength, shortStart] = isWide ? [0xffff, 0xffffffff, 0xffffffff] : [count, length, start];
  const end = numbers(
    [32, 0x06054b50],
    [32, 0],
    [16, shortCount],
    [16, shortCount],
    [32, shortLength],
    [32, shortStart],
    [16, comment.length],
  );
  return Buffer.concat([...parts, ...central, ...(isWide ? [wideEnd, locator] : []), end, Buffer.from(comment)]);
}

type Field = readonly [bits: 16 | 32 | 64, value: number];

function numbers(...fields: readonly Field[]): Buffer {
  return Buffer.concat(
    fields.map(([bits, value]) => {
      const bytes = Buffer.alloc(bits / 8);
      if (bits === 64) bytes.writeBigUInt64LE(BigInt(value));
      else bytes.writeUIntLE(value, 0, bits / 8);
      return bytes;
    }),
  );
}

/** Real files: one of Meta's with 16-bit floats, and a state dict of transformers'. */
export function realFiles(): Uint8Array[] {
  const golden = JSON.parse(readFileSync(new URL("../../test/goldens/meta.golden.json", import.meta.url), "utf8"));
  return [golden.models[1].files[0], golden.bins[0].file].map((file) => Uint8Array.from(gunzipSync(Buffer.from(file, "base64"))));
}

/**
 * Damages files `count` times, the bytes that structure them above all: they are read, or refused by a short CriaError. A read beyond the file's end is
 * an error of another kind.
 * @returns how many were refused
 */
export async function fuzzTorchFiles(seed: number, count: number): Promise<number> {
  const files = realFiles();
  const rng = new Rng(seed);
  let refused = 0;
  for (let i = 0; i < count; i++) {
    const file = files[i % files.length] ?? new Uint8Array();
    const bytes = damaged(file, rng);
    try {
      const read = await readTorchFile(memorySource("damaged.pth", bytes));
      for (const name of read.tensors.keys()) await read.readFloat32(name);
    } catch (error) {
      if (!(error instanceof CriaError)) throw new Error(`seed ${seed}, file ${i}`, { cause: error });
      expect(error.message.length, `seed ${seed}, file ${i}: ${error.message.slice(0, 200)}`).toBeLessThan(1000);
      refused++;
    }
  }
  return refused;
}

function damaged(file: Uint8Array, rng: Rng): Uint8Array {
  const kind = rng.below(4);
  if (kind === 0) return file.subarray(0, rng.below(file.length));
  const bytes = file.slice();
  const pickleAt = Buffer.from(file).indexOf("\x80\x02", 0, "latin1");
  for (let i = rng.below(4); i >= 0; i--) {
    // The pickle, the directory at the end, or anywhere.
    const at = kind === 1 ? pickleAt + rng.below(1500) : kind === 2 ? file.length - 1 - rng.below(2500) : rng.below(file.length - 8);
    if (rng.below(3) === 0) bytes.fill(rng.below(2) * 255, at, Math.min(at + 1 + rng.below(8), bytes.length));
    else bytes[at] = rng.below(256);
  }
  return bytes;
}
