// Counting the words of texts for a tokenizer: the flags of every command that does, and where what was counted is kept.
import { UsageError } from "../base/index.ts";
import { type CountedTexts, countTexts, type Texts } from "../corpus/index.ts";
import type { WordRules } from "../tokenizer/index.ts";
import type { CommandIo, FlagRow, Flags } from "./command.ts";
import { numberFlag, wholeFlag } from "./flag-values.ts";

export const countFlags: readonly FlagRow[] = [
  {
    name: "memory",
    type: "number",
    value: "BYTES",
    help: "memory that counting words may take, such as 500M or 4G; what does not fit goes to disk (half of the machine's unless given)",
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
 * Counts the words of all texts. What was counted when the command stops is kept in a folder beside `out`, the file that is to be written, and the
 * same command goes on behind it.
 */
export function countWords(
  texts: Texts,
  rules: WordRules,
  options: ReturnType<typeof countOptions>,
  { out, where, io }: { readonly out: string; readonly where: string; readonly io: CommandIo },
): Promise<CountedTexts> {
  const { signal, progress } = io;
  const onNotice = (notice: string) => io.stderr(`note: ${notice}\n`);
  return countTexts(texts, rules, { ...options, where, folder: `${out}.counting`, signal, onProgress: progress, onNotice });
}
