// POST /v1/chat/completions: a chat's next message, whole or as it comes.
import type { Message } from "../../chat/index.ts";
import type { RequestContext } from "../context.ts";
import type { Generation, GenerationRequest, LoggedToken, WritingOptions } from "../generation.ts";
import { type Answer, type Route, route } from "../protocol.ts";
import { refuse } from "../request-error.ts";
import { type ChatBody, chatBody } from "./chat-keys.ts";
import { errorBody } from "./errors.ts";
import { type Frame, frameOf } from "./frame.ts";
import { writingOptions } from "./sampling-keys.ts";
import { chatToken } from "./token-text.ts";
import { UsageCount } from "./usage.ts";

/** The route of chats. */
export const chat: Route = route({
  ...{ method: "POST", path: "/v1/chat/completions", summary: "The next message of a chat", body: chatBody },
  async handle(context: RequestContext, body: ChatBody): Promise<Answer | undefined> {
    const generation = await context.server.engine.open(requestOf(context, body));
    const sending = { generation, frame: frameOf("chatcmpl", generation) };
    return body.stream === true ? streamed(context, body, sending) : whole(context, sending);
  },
});

/** A request for the engine. @throws RequestError for parameters that contradict each other */
function requestOf(context: RequestContext, body: ChatBody): GenerationRequest {
  const { max_tokens: older, max_completion_tokens: newer } = body;
  if (older !== undefined && newer !== undefined && older !== newer)
    refuse(`max_tokens is ${older} and max_completion_tokens ${newer}: they are the same, leave max_tokens out`, "max_tokens");
  if (body.top_logprobs !== undefined && body.logprobs !== true)
    refuse("top_logprobs is given, but logprobs is not true: set it, or leave top_logprobs out", "top_logprobs");
  const logProbabilities = body.logprobs === true ? (body.top_logprobs ?? 0) : undefined;
  context.notes.prompt = body.messages;
  return {
    model: body.model,
    prompts: [{ messages: body.messages as unknown as readonly Message[], rendering: { variables: body.chat_template_kwargs } }],
    count: body.n ?? 1,
    maxTokens: newer ?? older,
    options: { ...writingOptions(body), ...formOf(body), ...(logProbabilities !== undefined && { logProbabilities }) },
    ...{ key: context.key, signal: context.signal },
  };
}

/** The form that a text must have. */
function formOf({ response_format: format, grammar }: ChatBody): WritingOptions {
  if (format === undefined || format.type === "text") return {};
  if (grammar !== undefined) refuse("response_format and grammar are given: a text keeps to one of them", "grammar");
  if (format.type === "json_object") return { jsonSchema: { type: "object" } };
  return { jsonSchema: format.json_schema.schema ?? { type: "object" } };
}

/** What is sent, and what it is made of. */
interface Sending {
  readonly generation: Generation;
  readonly frame: Frame;
}

/** One choice while it grows. */
interface Choice {
  content: string;
  readonly logged: LoggedToken[];
  finishReason: string | null;
}

async function whole(context: RequestContext, { generation, frame }: Sending): Promise<Answer> {
  const usage = new UsageCount();
  const { tokenizer } = generation;
  const choices: Choice[] = [];
  const at = (index: number) => (choices[index] ??= { content: "", logged: [], finishReason: null });
  for await (const event of generation.events()) {
    usage.add(event);
    if (event.type === "error") throw event.error;
    if (event.type === "end") at(event.choice).finishReason = event.finishReason;
    if (event.type !== "text") continue;
    const choice = at(event.choice);
    choice.content += event.text;
    if (event.logged !== undefined) choice.logged.push(event.logged);
  }
  usage.note(context.notes, generation.model);
  const json = {
    ...{ ...frame, object: "chat.completion" },
    choices: choices.map(({ content, logged, finishReason }, index) => ({
      ...{ index, message: { role: "assistant", content, refusal: null } },
      ...{
        logprobs: logged.length === 0 ? null : { content: logged.map((one) => chatToken(tokenizer, one)), refusal: null },
        finish_reason: finishReason,
      },
    })),
    usage,
  };
  return { body: { json } };
}

async function streamed(context: RequestContext, body: ChatBody, { generation, frame }: Sending): Promise<undefined> {
  const stream = context.stream();
  const withUsage = body.stream_options?.include_usage === true;
  const usage = new UsageCount();
  const chunk = (index: number, delta: unknown, logged?: LoggedToken, finishReason: string | null = null) =>
    stream.event({
      ...{ ...frame, object: "chat.completion.chunk" },
      choices: [
        {
          ...{ index, delta },
          logprobs: logged === undefined ? null : { content: [chatToken(generation.tokenizer, logged)], refusal: null },
          finish_reason: finishReason,
        },
      ],
      ...(withUsage && { usage: null }),
    });
  for (let index = 0; index < (body.n ?? 1); index++) chunk(index, { role: "assistant", content: "", refusal: null });
  for await (const event of generation.events()) {
    usage.add(event);
    if (event.type === "error") {
      context.fail(event.error);
      stream.event(errorBody(event.error));
      stream.end();
      return;
    }
    if (event.type === "text" && (event.text !== "" || event.logged !== undefined))
      chunk(event.choice, { content: event.text }, event.logged);
    if (event.type === "end") chunk(event.choice, {}, undefined, event.finishReason);
    await stream.ready();
  }
  usage.note(context.notes, generation.model);
  if (withUsage) stream.event({ ...frame, object: "chat.completion.chunk", choices: [], usage });
  stream.event("[DONE]");
  stream.end();
}
