// Counting the words of texts for a tokenizer: the flags of every command that does, and where what was counted is kept.
import { byteSize, check, UsageError } from "../base/index.ts";
import { type CountedTexts, countTexts, usualMemory } from "../corpus/counting/index.ts";
import type { Texts } from "../corpus/texts/index.ts";
import type { WordRules } from "../tokenizer/index.ts";
import type { CommandIo, FlagRow, Flags } from "./command.ts";
import { numberFlag, wholeFlag } from "./flag-values.ts";

/** Flags of commands that count the words of texts. */
export const countFlags: readonly FlagRow[] = [
  {
    name: "memory",
    type: "number",
    value: "BYTES",
    help: "memory that counting words, and then learning from them, may take, such as 500M or 4G; counts that do not fit go to disk (half of the machine's unless given)",
  },
  { name: "threads", type: "number", help: "threads that count words (the machine's unless given)" },
];

const leastMemory = 1e6;

/** What {@link countFlags} say. @throws UsageError for a value out of range */
export function countOptions(flags: Flags, where: string): { readonly memory: number | undefined; readonly threads: number | undefined } {
  const memory = numberFlag(flags, "memory");
  if (memory !== undefined && !(memory >= leastMemory))
    throw new UsageError(where, `--memory is ${memory} bytes but must be at least ${leastMemory} (1M)`);
  return { memory, threads: wholeFlag(flags, where, "threads") };
}

/**
 * Counts the words of all texts, for learning. What was counted when the command stops is kept in a folder beside `out`, the file that is to be written, and the
 * same command goes on behind it.
 * @throws CriaError where a text cannot be read, the folder is of another count, or there are more different words than learning has memory for
 */
export async function countWords(
  texts: Texts,
  rules: WordRules,
  options: ReturnType<typeof countOptions>,
  { out, where, io }: { readonly out: string; readonly where: string; readonly io: CommandIo },
): Promise<CountedTexts> {
  const { signal, progress } = io;
  const onNotice = (notice: string) => io.stderr(`note: ${notice}\n`);
  const counts = await countTexts(texts, rules, { ...options, where, folder: `${out}.counting`, signal, onProgress: progress, onNotice });
  await checkLearning(counts, options.memory ?? usualMemory(), where);
  return counts;
}

/** Measured on 300,000 words: docs/log/2026-11-28-tokenizer-training.md. */
const learningBytesPerByte = 48;

/** Learning holds all different words in memory, whatever the corpus. */
async function checkLearning(counts: CountedTexts, memory: number, where: string): Promise<void> {
  let [words, bytes] = [0, 0];
  for await (const block of counts.blocks()) {
    words += block.counts.length;
    bytes += block.bytes.length;
  }
  const needed = learningBytesPerByte * (bytes + words);
  check(
    needed <= memory,
    where,
    () =>
      `learning from ${words.toLocaleString("en-US")} different words takes about ${byteSize(needed)} of memory, but may take ${byteSize(memory)}: raise --memory, or give less text`,
  );
}
