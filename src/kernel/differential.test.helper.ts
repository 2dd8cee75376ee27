// Runs one kernel as IR and compiled, over equal memories, and compares every word of them.
import { interpret } from "./interpret.ts";
import type { Kernel } from "./ir.ts";
import { type CompiledRun, sharedMemory } from "./testing.test.helper.ts";

const memory = sharedMemory();

/**
 * Fills `words` of memory from address 0, runs all units, and returns the addresses whose words differ.
 * Two NaNs count as equal: no machine promises which of them an operation gives.
 */
export function differences(run: CompiledRun, kernel: Kernel, words: Int32Array, pointers: readonly number[]): number[] {
  const want = new Int32Array(memory.buffer, 0, words.length);
  want.set(words);
  interpret(kernel, memory.buffer, [...pointers, 0, 0, kernel.units]);
  const have = run.runWords(kernel, words, pointers);
  const different: number[] = [];
  want.forEach((word, i) => {
    if (word !== have[i] && !(isNaNPattern(word) && isNaNPattern(have[i]!))) different.push(i * 4);
  });
  return different;
}

function isNaNPattern(bits: number): boolean {
  return (bits & 0x7fffffff) > 0x7f800000;
}
