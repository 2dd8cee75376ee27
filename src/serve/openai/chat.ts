// POST /v1/chat/completions: a chat's next message, whole or as it comes.
import type { DialoguePart } from "../../dialogue/index.ts";
import type { Tokenizer } from "../../tokenizer/index.ts";
import type { RequestContext } from "../context.ts";
import type { Generation, LoggedToken } from "../generation.ts";
import { type Answer, type Route, route } from "../protocol.ts";
import { type ChatBody, chatBody } from "./chat-keys.ts";
import { ChatMessage } from "./chat-message.ts";
import { chatRequest } from "./chat-request.ts";
import { errorBody } from "./errors.ts";
import { type Frame, frameOf } from "./frame.ts";
import { chatToken } from "./token-text.ts";
import { UsageCount } from "./usage.ts";

/** The route of chats. */
export const chat: Route = route({
  ...{ method: "POST", path: "/v1/chat/completions", summary: "The next message of a chat", body: chatBody },
  async handle(context: RequestContext, body: ChatBody): Promise<Answer | undefined> {
    const generation = await context.server.engine.open(chatRequest(context, body));
    const sending = { generation, frame: frameOf("chatcmpl", generation) };
    return body.stream === true ? streamed(context, body, sending) : whole(context, body, sending);
  },
});

/** What is sent, and what it is made of. */
interface Sending {
  readonly generation: Generation;
  readonly frame: Frame;
}

async function whole(context: RequestContext, { n = 1 }: ChatBody, { generation, frame }: Sending): Promise<Answer> {
  const usage = new UsageCount();
  const choices = Array.from({ length: n }, () => ({ message: new ChatMessage(), logged: [] as LoggedToken[], finishReason: "" }));
  for await (const event of generation.events()) {
    usage.add(event);
    if (event.type === "error") throw event.error;
    if (event.type !== "parts" && event.type !== "end") continue;
    const choice = choices[event.choice]!;
    if (event.type === "end") choice.finishReason = event.finishReason;
    else {
      choice.message.add(event.parts);
      if (event.logged !== undefined) choice.logged.push(event.logged);
    }
  }
  usage.note(context.notes, generation.model);
  const told = choices.map(({ message, logged, finishReason }, index) => ({
    ...{ index, message, logprobs: logged.length === 0 ? null : logprobsOf(generation.tokenizer, logged), finish_reason: finishReason },
  }));
  return { body: { json: { ...frame, object: "chat.completion", choices: told, usage } } };
}

async function streamed(context: RequestContext, body: ChatBody, { generation, frame }: Sending): Promise<undefined> {
  const stream = context.stream();
  const withUsage = body.stream_options?.include_usage === true;
  const usage = new UsageCount();
  const object = "chat.completion.chunk";
  const chunk = (index: number, delta: unknown, logprobs: unknown = null, finishReason: string | null = null) =>
    stream.event({
      ...frame,
      object,
      choices: [{ index, delta, logprobs, finish_reason: finishReason }],
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
    if (event.type === "parts") {
      const logprobs = event.logged === undefined ? null : logprobsOf(generation.tokenizer, [event.logged]);
      const deltas = event.parts.map(deltaOf);
      if (deltas.length === 0 && logprobs !== null) deltas.push({ content: "" });
      for (const [i, delta] of deltas.entries()) chunk(event.choice, delta, i === 0 ? logprobs : null);
    }
    if (event.type === "end") chunk(event.choice, {}, null, event.finishReason);
    await stream.ready();
  }
  usage.note(context.notes, generation.model);
  if (withUsage) stream.event({ ...frame, object, choices: [], usage });
  stream.event("[DONE]");
  stream.end();
}

/** What is new of a message. A call's id and name come once; its arguments are pieces of JSON. */
function deltaOf(part: DialoguePart): object {
  switch (part.type) {
    case "content":
      return { content: part.text };
    case "reasoning":
      return { reasoning_content: part.text };
    case "call":
      return { tool_calls: [{ index: part.index, id: part.id, type: "function", function: { name: part.name, arguments: "" } }] };
    case "arguments":
      return { tool_calls: [{ index: part.index, function: { arguments: part.text } }] };
    default:
      return part satisfies never;
  }
}

function logprobsOf(tokenizer: Tokenizer, logged: readonly LoggedToken[]): object {
  return { content: logged.map((one) => chatToken(tokenizer, one)), refusal: null };
}
