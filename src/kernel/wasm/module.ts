// Kernels → one WebAssembly module: a function each, exported as "0", "1", …; the memory comes from outside.
import type { Kernel } from "../ir.ts";
import { section, unsigned, valueType } from "./encoding.ts";
import { compileWasm } from "./function-body.ts";

const magicAndVersion = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const func = 0x60;
/** What the limits of a memory begin with: a maximum follows; whether threads share it. */
const limits = { plain: 0x01, shared: 0x03 };

/** What a module may differ in. */
export interface ModuleOptions {
  /** Gives the body of a kernel's function, where it need not be compiled anew. */
  readonly bodyOf?: (kernel: Kernel) => Uint8Array;
  /** The maximum of the memory, in pages of 64 KiB; 65536 by default. */
  readonly maximumPages?: number;
  /** Whether the memory is one that threads share; true by default. */
  readonly isShared?: boolean;
}

/** The module's bytes; the same kernels give the same bytes. It imports memory "e"."m". */
export function assembleModule(
  kernels: readonly Kernel[],
  { bodyOf = compileWasm, maximumPages = 65536, isShared = true }: ModuleOptions = {},
): Uint8Array<ArrayBuffer> {
  const arities = [...new Set(kernels.map((kernel) => kernel.params.length))];
  const types = arities.map((count) => [func, ...unsigned(count), ...Array<number>(count).fill(valueType.i32), 0]);
  const bodies = kernels.map(bodyOf);
  return new Uint8Array([
    ...magicAndVersion,
    ...section(1, vector(types)),
    ...section(
      2,
      vector([[...name("e"), ...name("m"), 0x02, isShared ? limits.shared : limits.plain, ...unsigned(1), ...unsigned(maximumPages)]]),
    ),
    ...section(3, vector(kernels.map((kernel) => unsigned(arities.indexOf(kernel.params.length))))),
    ...section(7, vector(kernels.map((_, i) => [...name(String(i)), 0x00, ...unsigned(i)]))),
    ...section(10, vector(bodies.map((body) => concat([unsigned(body.length), body])))),
  ]);
}

function vector(items: readonly ArrayLike<number>[]): number[] {
  return concat([unsigned(items.length), ...items]);
}

function concat(parts: readonly ArrayLike<number>[]): number[] {
  const all: number[] = [];
  for (const part of parts) for (let i = 0; i < part.length; i++) all.push(part[i]!);
  return all;
}

function name(text: string): number[] {
  const bytes = [...new TextEncoder().encode(text)];
  return [...unsigned(bytes.length), ...bytes];
}
