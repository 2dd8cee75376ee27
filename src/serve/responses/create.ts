// POST /v1/responses: a response, whole or as it comes. Nothing is stored: each request has its whole conversation.
import { randomBytes } from "node:crypto";
import type { RequestContext } from "../context.ts";
import type { Generation, GenerationEvent } from "../generation.ts";
import { chatToken } from "../openai/chat-token.ts";
import { errorBody } from "../openai/errors.ts";
import { UsageCount } from "../openai/usage.ts";
import { type Answer, type Route, route } from "../protocol.ts";
import type { RequestError } from "../request-error.ts";
import { type ResponseBody, responseBody } from "./keys.ts";
import { type ItemEvent, Output } from "./output.ts";
import { functionsOf, responseRequest, wantsLogprobs } from "./request.ts";

/** The route of responses. */
export const create: Route = route({
  ...{ method: "POST", path: "/v1/responses", summary: "A response to a conversation; nothing is stored", body: responseBody },
  async handle(context: RequestContext, body: ResponseBody): Promise<Answer | undefined> {
    const generation = await context.server.engine.open(responseRequest(context, body));
    const response = new WrittenResponse(generation, body);
    return body.stream === true ? streamed(context, response) : whole(context, response);
  },
});

/** A response while it is written. */
class WrittenResponse {
  readonly generation: Generation;
  readonly #body: ResponseBody;
  readonly #id = `resp_${randomBytes(16).toString("hex")}`;
  readonly #created = Math.floor(Date.now() / 1000);
  readonly #output = new Output();
  readonly #usage = new UsageCount();
  #status: "in_progress" | "completed" | "incomplete" | "failed" = "in_progress";
  #error: RequestError | undefined;

  constructor(generation: Generation, body: ResponseBody) {
    [this.generation, this.#body] = [generation, body];
  }

  /** What an event of the engine changes, as events of the protocol; the last one has the whole response. */
  add(event: GenerationEvent): readonly ItemEvent[] {
    this.#usage.add(event);
    switch (event.type) {
      case "parts":
        return this.#output.add(event.parts, this.#logprobOf(event));
      case "end": {
        const status = event.finishReason === "length" ? "incomplete" : "completed";
        const ended = this.#output.end(status);
        this.#status = status;
        return [...ended, this.event(`response.${status}`)];
      }
      case "error":
        this.#status = "failed";
        this.#error = event.error;
        return [{ type: "error", ...errorEvent(event.error) }, this.event("response.failed")];
      default:
        return [];
    }
  }

  /** An event that has the response as it is now. */
  event(type: string): ItemEvent {
    return { type, response: this.toJSON() };
  }

  /** Tells the log. */
  note(context: RequestContext): void {
    this.#usage.note(context.notes, this.generation.model);
  }

  toJSON(): unknown {
    const isOver = this.#status !== "in_progress";
    return {
      ...{ id: this.#id, object: "response", created_at: this.#created, status: this.#status, background: false },
      ...(this.#status === "completed" && { completed_at: Math.floor(Date.now() / 1000) }),
      error: this.#error === undefined ? null : failureOf(this.#error),
      incomplete_details: this.#status === "incomplete" ? { reason: "max_output_tokens" } : null,
      ...{ model: this.generation.model, output: structuredClone(this.#output.items) },
      ...givenBack(this.#body),
      usage: isOver ? usageOf(this.#usage) : null,
    };
  }

  #logprobOf({ logged }: Extract<GenerationEvent, { type: "parts" }>): unknown {
    return logged === undefined || !wantsLogprobs(this.#body) ? undefined : chatToken(this.generation.tokenizer, logged);
  }
}

/** What a response repeats of its request, with what stands for what was absent. */
function givenBack(body: ResponseBody): object {
  const { effort = null } = body.reasoning ?? {};
  return {
    ...{ instructions: body.instructions ?? null, metadata: body.metadata ?? {}, max_output_tokens: body.max_output_tokens ?? null },
    ...{ temperature: body.temperature ?? null, top_p: body.top_p ?? null, top_logprobs: body.top_logprobs ?? 0 },
    ...{ tools: functionsOf(body), tool_choice: body.tool_choice ?? "auto", parallel_tool_calls: body.parallel_tool_calls ?? true },
    ...{ reasoning: { effort, summary: null }, text: { format: body.text?.format ?? { type: "text" } } },
    ...{ truncation: "disabled", previous_response_id: null, store: false },
  };
}

function usageOf({ promptTokens, cachedTokens, completionTokens, reasoningTokens }: UsageCount): object {
  return {
    ...{ input_tokens: promptTokens, input_tokens_details: { cached_tokens: cachedTokens } },
    ...{ output_tokens: completionTokens, output_tokens_details: { reasoning_tokens: reasoningTokens } },
    total_tokens: promptTokens + completionTokens,
  };
}

/** Why a response failed, by one of the codes that the protocol has for it. */
function failureOf(error: RequestError): object {
  return { code: error.kind === "invalid" ? "invalid_prompt" : "server_error", message: error.message };
}

/** The protocol's reference has the fields beside each other, its servers nest them, and clients throw for the nested form: an event has both. */
function errorEvent(error: RequestError): object {
  const { error: nested } = errorBody(error);
  return { code: nested.code, message: nested.message, param: nested.param, error: nested };
}

async function whole(context: RequestContext, response: WrittenResponse): Promise<Answer> {
  for await (const event of response.generation.events()) {
    response.add(event);
    if (event.type === "error") throw event.error;
  }
  response.note(context);
  return { body: { json: response } };
}

/** Events are numbered, and named by their type; there is no mark of the end but the last event. */
async function streamed(context: RequestContext, response: WrittenResponse): Promise<undefined> {
  const stream = context.stream();
  let number = 0;
  const send = ({ type, ...event }: ItemEvent) => stream.event({ type, sequence_number: number++, ...event }, type);
  send(response.event("response.created"));
  send(response.event("response.in_progress"));
  for await (const event of response.generation.events()) {
    for (const one of response.add(event)) send(one);
    if (event.type === "error") context.fail(event.error);
    await stream.ready();
  }
  response.note(context);
  stream.end();
}
