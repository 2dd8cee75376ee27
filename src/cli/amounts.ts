// Numbers as people read them.
import type { CheckedMemory } from "../train/index.ts";

/** 950, 12.3K, 4.56M. */
export function count(value: number): string {
  return new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 }).format(value);
}

/** 950 B, 12.3 kB, 4.56 GB. */
export function byteSize(bytes: number): string {
  const [size, unit] = (
    [
      [1e9, "GB"],
      [1e6, "MB"],
      [1e3, "kB"],
    ] as const
  ).find(([least]) => bytes >= least) ?? [1, "B"];
  return `${Number((bytes / size).toPrecision(3))} ${unit}`;
}

/** The memory that training needs beside the memory there. */
export function describeMemory({ states, workspace, there }: CheckedMemory): string {
  const parts = `weights and optimiser ${byteSize(states)}, activations and gradients ${byteSize(workspace)}`;
  return `${byteSize(states + workspace)} (${parts}); ${there.bound} is ${byteSize(there.bytes)}`;
}
