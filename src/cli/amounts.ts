// Numbers as people read them.
import { byteSize } from "../base/index.ts";
import type { CheckedMemory } from "../train/index.ts";

/** 950, 12.3K, 4.56M. */
export function count(value: number): string {
  return new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 }).format(value);
}

/** The memory that training needs beside the memory there. */
export function describeMemory({ states, workspace, there }: CheckedMemory): string {
  const parts = `weights and optimiser ${byteSize(states)}, activations and gradients ${byteSize(workspace)}`;
  return `${byteSize(states + workspace)} (${parts}); ${there.bound} is ${byteSize(there.bytes)}`;
}
