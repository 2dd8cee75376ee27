// Small files that are read whole: each kind has a size that none of them reaches, so that a wrong or endless file does not fill the memory.
import { check } from "./errors.ts";

const mega = 2 ** 20;

/** The most bytes that a file of a kind may have, several times what the largest ones known have. */
export const sizeLimits = {
  /** config.json, generation_config.json, tokenizer_config.json, a manifest, a checkpoint's state: some kilobytes. */
  config: 16 * mega,
  /** YAML that people write, some kilobytes: its parser takes time in the square of the size of what is made to vex it, seconds for this much. */
  recipe: mega / 16,
  /** tokenizer.json and llama2.c's tokenizer .bin: 33 MB with 262,144 pieces and their merges. */
  tokenizer: 512 * mega,
  /** Classifiers of fastText and models of n-grams: lid.176.bin has 126 MB. */
  classifier: 2048 * mega,
  /** Texts that a command reads whole, one per line. */
  texts: 1024 * mega,
  /** Saved texts: keys and values of 8,192 tokens take 0.4 GB at 135 million parameters, 4 GB at 7 billion. */
  session: 2 ** 36,
  /** metrics.jsonl: about 200 bytes per step. */
  metrics: 1024 * mega,
} as const;

/** The name of a kind of file that has a limit. */
export type SizeLimit = keyof typeof sizeLimits;

/** @param size bytes of the file, as many as were seen of it. @throws CriaError when files of its kind have fewer */
export function checkFileSize(where: string, name: string, size: number, limit: SizeLimit): void {
  const most = sizeLimits[limit];
  check(
    size <= most,
    where,
    () =>
      `${name}: it has ${size.toLocaleString("en-US")} bytes or more, but files of its kind at most ${most.toLocaleString("en-US")}: it is another file, correct the path`,
  );
}
