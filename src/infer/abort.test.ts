// Everything that runs a model ends with the pass in which its signal is aborted, and gives its pages back.
import { expect, test } from "vitest";
import { byteLevelPiece, createTokenizer, mergeList } from "../tokenizer/index.ts";
import {
  beamSearch,
  embedTexts,
  generateChoices,
  generateText,
  generateTokens,
  modelDraft,
  promptLogProbabilities,
  scoreTexts,
} from "./index.ts";
import { passLimits } from "./programs.ts";
import { fakeQueue } from "./sequence-queue.test.helper.ts";
import type { SequenceQueue } from "./sequence-queue.ts";

const prompt = Array.from({ length: 100 }, (_, i) => (i * i) % 11);
const texts = [prompt, prompt.slice(3), prompt.slice(5)];
const tokenizer = createTokenizer({
  kind: "bytes",
  pieces: Array.from({ length: 256 }, (_, byte) => byteLevelPiece([byte])),
  merges: mergeList([]),
  ...{ specials: [], splitDigits: false, ignoreMerges: false },
});

async function drain(generator: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of generator);
}

const works: Record<string, (queue: SequenceQueue, signal: AbortSignal) => Promise<unknown>> = {
  "a run": (queue, signal) => {
    const sequence = queue.sequence();
    return queue.run([{ sequence, ids: prompt }], signal).finally(() => sequence.dispose());
  },
  tokens: (queue, signal) => drain(generateTokens(queue, prompt, { signal })),
  "tokens behind a short prompt": (queue, signal) => drain(generateTokens(queue, [1], { signal })),
  "tokens guessed ahead": (queue, signal) => drain(generateTokens(queue, [1], { signal, draft: modelDraft(queue) })),
  "a text": (queue, signal) => drain(generateText(queue, tokenizer, prompt, { signal, contextEnd: "slide" })),
  choices: (queue, signal) => drain(generateChoices(queue, tokenizer, [1, 2], 3, { signal })),
  beams: (queue, signal) => beamSearch(queue, [1, 2], { beams: 3, signal }),
  scores: (queue, signal) =>
    scoreTexts(
      queue,
      texts.map((ids) => ({ ids, from: 9 })),
      { signal },
    ),
  "log-probabilities": (queue, signal) => promptLogProbabilities(queue, prompt, 0, signal),
  "embeddings of all tokens": (queue, signal) => embedTexts(queue, texts, { signal }),
  "embeddings of the last": (queue, signal) => embedTexts(queue, texts, { signal, pooling: "last" }),
};

test.each(Object.entries(works))("%s", async (_, work) => {
  const { queue, runner } = fakeQueue(60, { limits: { ...passLimits, rows: 16, mixedRows: 16, results: 16 } });
  const abort = new AbortController();
  let passes = 0;
  runner.before = () => {
    if (++passes === 3) abort.abort(new Error("enough"));
  };
  await expect(work(queue, abort.signal)).rejects.toThrow("enough");
  expect(passes).toBe(3);
  expect(queue.counts.heldPages).toBe(0);
  await expect(work(queue, abort.signal)).rejects.toThrow("enough"); // nothing begins
  expect(passes).toBe(3);
});
