// POST /v1/completions: texts behind prompts, with log-probabilities of texts and prompts as evaluation harnesses need them.
import type { RequestContext } from "../context.ts";
import type { Generation, GenerationEvent, GenerationRequest, PlainPrompt } from "../generation.ts";
import { type Answer, type Route, route } from "../protocol.ts";
import { type CompletionBody, completionBody } from "./completion-keys.ts";
import { CompletionText } from "./completion-text.ts";
import { frameOf } from "./frame.ts";
import { plainPrompts } from "./prompts.ts";
import { wantsUsage, writingOptions } from "./sampling-keys.ts";
import { gathered, streamed } from "./sending.ts";

/** What OpenAI's protocol writes where no limit is given. */
const usualMaxTokens = 16;

/** The route of completions. */
export const completions: Route = route({
  ...{ method: "POST", path: "/v1/completions", summary: "Texts that follow prompts", body: completionBody },
  async handle(context: RequestContext, body: CompletionBody): Promise<Answer | undefined> {
    const withUsage = wantsUsage(body);
    const prompts = plainPrompts(body.prompt ?? "");
    const generation = await context.server.engine.open(requestOf(context, body, prompts));
    const sending = { generation, frame: { ...frameOf("cmpl", generation), object: "text_completion" }, withUsage };
    const texts = textsOf(generation, body, prompts);
    const tell = (event: GenerationEvent) => take(texts, prompts.length, event);
    if (body.stream === true)
      return streamed(context, sending, [], (event, chunk) => {
        for (const text of tell(event)) if (text.hasNews) chunk(text.take());
      });
    const usage = await gathered(context, sending, tell);
    return { body: { json: { ...sending.frame, choices: texts.map((text) => text.take()), usage } } };
  },
});

function requestOf(context: RequestContext, body: CompletionBody, prompts: readonly PlainPrompt[]): GenerationRequest {
  const { logprobs, echo = false } = body;
  context.notes.prompt = body.prompt;
  return {
    ...{ model: body.model, prompts, count: body.n ?? 1 },
    maxTokens: body.max_tokens ?? usualMaxTokens,
    options: { ...writingOptions(body), ...(logprobs !== undefined && { logProbabilities: logprobs }) },
    scoreTop: echo ? logprobs : undefined,
    ...{ key: context.key, signal: context.signal },
  };
}

/** A text per choice of each prompt, which begins with the prompt where that is echoed. */
function textsOf(
  { tokenizer, prompts: ids }: Generation,
  { n = 1, echo = false, logprobs }: CompletionBody,
  prompts: readonly PlainPrompt[],
): CompletionText[] {
  return prompts.flatMap((prompt, p) => {
    const text = () => ("text" in prompt ? prompt.text : tokenizer.decode(ids[p] ?? []));
    return Array.from(
      { length: n },
      (_, i) => new CompletionText(tokenizer, p * n + i, { echo: echo ? text() : "", hasLogprobs: logprobs !== undefined }),
    );
  });
}

/** Tells the texts that an event is of. */
function take(texts: readonly CompletionText[], prompts: number, event: GenerationEvent): readonly CompletionText[] {
  const count = texts.length / prompts;
  if (event.type === "prompt") {
    const own = texts.slice(event.prompt * count, (event.prompt + 1) * count);
    for (const text of own) text.echo(event.tokens);
    return [];
  }
  const text = event.type === "parts" || event.type === "end" ? texts[event.choice] : undefined;
  if (text === undefined) return [];
  if (event.type === "parts") text.push(event.parts.map((part) => (part.type === "content" ? part.text : "")).join(""), event.logged);
  if (event.type === "end") text.end(event.finishReason);
  return [text];
}
