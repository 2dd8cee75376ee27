// Runs one kernel as IR and as WebAssembly over equal memories, and compares every word of them.
import { interpret } from "./interpret.ts";
import type { Kernel } from "./ir.ts";
import { compiled, sharedMemory } from "./testing.test.helper.ts";

const [slow, fast] = [sharedMemory(), sharedMemory()];

/**
 * Fills `words` of memory from address 0, runs all units, and returns the addresses whose words differ.
 * Two NaNs count as equal: no machine promises which of them an operation gives.
 */
export function differences(kernel: Kernel, words: Int32Array, pointers: readonly number[]): number[] {
  const args = [...pointers, 0, 0, kernel.units];
  const [want, have] = [slow, fast].map((memory) => {
    const view = new Int32Array(memory.buffer, 0, words.length);
    view.set(words);
    return view;
  }) as [Int32Array, Int32Array];
  interpret(kernel, slow.buffer, args);
  compiled(kernel, fast)(args);
  return Array.from(want.keys())
    .filter((i) => want[i] !== have[i] && !(isNaNPattern(want[i]!) && isNaNPattern(have[i]!)))
    .map((i) => i * 4);
}

function isNaNPattern(bits: number): boolean {
  return (bits & 0x7fffffff) > 0x7f800000;
}
