// One prompt of a request: it is scored where that is asked for, read, and the texts behind it are written.
import type { PromptCounts } from "../infer/index.ts";
import type { CheckedPrompt, CheckedRequest } from "./checked-request.ts";
import type { GenerationEvent } from "./generation.ts";
import { merged } from "./merge.ts";
import { RequestError } from "./request-error.ts";
import { TextProgress, type TextWatch } from "./text-progress.ts";

/** Who is told when tokens come. Times are in seconds. */
export interface PromptWatch extends TextWatch {
  /** A prompt was read, and its first token came so long after it began to run. */
  promptRead(counts: PromptCounts, seconds: number): void;
}

/** A prompt of a request, and who is told of it. */
export interface PromptJob {
  readonly checked: CheckedRequest;
  /** Its number in the request. */
  readonly index: number;
  readonly watch: PromptWatch;
  readonly signal: AbortSignal;
}

/**
 * The events of one prompt.
 * @throws RequestError where no token may follow by the grammar, and what the model throws
 */
export async function* writePrompt(job: PromptJob): AsyncGenerator<GenerationEvent, void> {
  const { checked, index, signal } = job;
  const { request, model, count } = checked;
  const prompt = checked.prompts[index]!;
  const first = index * count;
  if (request.scoreTop !== undefined) {
    const tokens = await model.logProbabilities(prompt.ids, { top: request.scoreTop, signal });
    yield { type: "prompt", prompt: index, tokens };
  }
  if (request.maxTokens === 0) yield* nothingWritten(job, first);
  else yield* inParallel(Array.from({ length: count }, (_, i) => writeText(job, prompt, i, first + i)));
}

/** The texts behind one prompt: the first one reads it, and the others find what it has read. */
async function* inParallel([first, ...others]: AsyncGenerator<GenerationEvent, void>[]): AsyncGenerator<GenerationEvent, void> {
  if (first === undefined) return;
  if (others.length === 0) return yield* first;
  const begun = await first.next();
  if (begun.done) return;
  yield begun.value;
  yield* merged([first, ...others], others.length + 1);
}

function* nothingWritten(job: PromptJob, first: number): Generator<GenerationEvent, void> {
  const { checked, index, watch } = job;
  const tokens = checked.prompts[index]!.ids.length;
  watch.promptRead({ tokens, cachedTokens: 0 }, 0);
  yield { type: "start", prompt: index, promptTokens: tokens, cachedTokens: 0 };
  const end = { finishReason: "length", stopString: undefined, completionTokens: 0, reasoningTokens: 0 } as const;
  for (let i = 0; i < checked.count; i++) yield { type: "end", choice: first + i, ...end };
}

/** @param i which of the prompt's texts it is @param choice its number in the request */
async function* writeText(
  { checked, index, watch, signal }: PromptJob,
  { ids, writing, newParser }: CheckedPrompt,
  i: number,
  choice: number,
): AsyncGenerator<GenerationEvent, void> {
  const { model, options, stopIds, request } = checked;
  const began = performance.now();
  const parser = newParser();
  using progress = new TextProgress(model.pace, watch);
  for await (const piece of model.pieces(ids, { ...options, ...writing, choice: i, cacheSalt: request.key, signal })) {
    const { id, text, finishReason, prompt, logProbabilities: told } = piece;
    if (prompt !== undefined && i === 0) {
      watch.promptRead(prompt, (performance.now() - began) / 1000);
      yield { type: "start", prompt: index, promptTokens: prompt.tokens, cachedTokens: prompt.cachedTokens };
    }
    if (finishReason === "stuck") throw stuck();
    const isEnd = finishReason === "stop" && stopIds.has(id);
    const logged = told === undefined || isEnd ? undefined : { id, told };
    const parts = parser.push(text);
    progress.count(parts);
    if (finishReason === undefined && !parser.isStopped) {
      yield { type: "parts", choice, parts, logged };
      continue;
    }
    const end = parser.end();
    yield { type: "parts", choice, parts: [...parts, ...end.parts], logged };
    const isCut = finishReason === "length" && !parser.isStopped;
    yield { type: "end", choice, finishReason: isCut ? "length" : end.finishReason, stopString: parser.stopString, ...progress.counts };
    return;
  }
}

function stuck(): RequestError {
  return new RequestError("invalid", "the text is not complete, but no token of the model may follow by the grammar or schema: change it", {
    ...{ param: "response_format", code: "grammar_stuck" },
  });
}
