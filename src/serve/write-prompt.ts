// One prompt of a request: it is scored where that is asked for, read, and the texts behind it are written.
import type { ChoicePiece, PromptCounts, TextPiece } from "../infer/index.ts";
import type { CheckedRequest } from "./checked-request.ts";
import type { GenerationEvent } from "./generation.ts";
import type { PaceMark } from "./prefill-pace.ts";
import { RequestError } from "./request-error.ts";
import type { ServedModel } from "./served-model.ts";

/** Who is told when tokens come. Times are in seconds. */
export interface PromptWatch {
  /** A prompt was read, and its first token came so long after it began to run. */
  promptRead(counts: PromptCounts, seconds: number): void;
  /** A text's next token came so long after the one before. */
  nextToken(seconds: number): void;
}

/**
 * The events of one prompt.
 * @param prompt its number in the request
 * @throws RequestError where no token may follow by the grammar, and what the model throws
 */
export async function* writePrompt(
  checked: CheckedRequest,
  prompt: number,
  watch: PromptWatch,
  signal: AbortSignal,
): AsyncGenerator<GenerationEvent, void> {
  const { request, model, count } = checked;
  const ids = checked.prompts[prompt]!;
  const began = performance.now();
  const start = (counts: PromptCounts): GenerationEvent => {
    watch.promptRead(counts, (performance.now() - began) / 1000);
    return { type: "start", prompt, promptTokens: counts.tokens, cachedTokens: counts.cachedTokens };
  };
  if (request.scoreTop !== undefined) {
    const tokens = await model.logProbabilities(ids, { top: request.scoreTop, signal });
    yield { type: "prompt", prompt, tokens };
  }
  if (request.maxTokens === 0) {
    yield start({ tokens: ids.length, cachedTokens: 0 });
    for (let i = 0; i < count; i++) yield { type: "end", choice: prompt * count + i, finishReason: "length", completionTokens: 0 };
    return;
  }
  let isStarted = false;
  const texts = Array.from({ length: count }, () => new TextClock(model, watch));
  for await (const piece of piecesOf(checked, ids, signal)) {
    if (!isStarted) yield start(piece.prompt ?? { tokens: ids.length, cachedTokens: 0 });
    isStarted = true;
    const tokens = texts[piece.choice]!.count();
    yield* eventsOf(piece, prompt * count + piece.choice, tokens, checked);
  }
}

/** Tokens of a text, and when the last one came. */
class TextClock {
  readonly #model: ServedModel;
  readonly #watch: PromptWatch;
  #tokens = 0;
  #last: PaceMark | undefined;

  constructor(model: ServedModel, watch: PromptWatch) {
    [this.#model, this.#watch] = [model, watch];
  }

  /** @returns tokens so far */
  count(): number {
    const { pace } = this.#model;
    const now = pace.mark(performance.now() / 1000);
    if (this.#last !== undefined) {
      this.#watch.nextToken(now.seconds - this.#last.seconds);
      pace.next(this.#last, now);
    }
    this.#last = now;
    return ++this.#tokens;
  }
}

/** One text is written without the copies that several from one prompt need. */
function piecesOf(
  { model, count, options, request }: CheckedRequest,
  ids: Uint32Array,
  signal: AbortSignal,
): AsyncGenerator<ChoicePiece, void> {
  const all = { ...options, cacheSalt: request.key, signal };
  return count > 1 ? model.choices(ids, count, all) : asChoice(model.pieces(ids, all));
}

async function* asChoice(pieces: AsyncGenerator<TextPiece, void>): AsyncGenerator<ChoicePiece, void> {
  for await (const piece of pieces) yield { ...piece, choice: 0 };
}

function* eventsOf(
  piece: ChoicePiece,
  choice: number,
  completionTokens: number,
  { stopIds }: CheckedRequest,
): Generator<GenerationEvent, void> {
  const { id, text, logProbabilities: told, finishReason } = piece;
  if (finishReason === "stuck")
    throw new RequestError(
      "invalid",
      "the text is not complete, but no token of the model may follow by the grammar or schema: change it",
      {
        ...{ param: "response_format", code: "grammar_stuck" },
      },
    );
  const isEnd = finishReason === "stop" && stopIds.has(id);
  yield { type: "text", choice, text, logged: told === undefined || isEnd ? undefined : { id, told } };
  if (finishReason !== undefined) yield { type: "end", choice, finishReason, completionTokens };
}
