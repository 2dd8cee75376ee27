// POST /v1/chat/completions: a chat's next message, whole or as it comes.
import type { DialoguePart } from "../../dialogue/index.ts";
import type { Tokenizer } from "../../tokenizer/index.ts";
import { ChatMessage } from "../chat-message.ts";
import type { RequestContext } from "../context.ts";
import type { GenerationEvent, LoggedToken } from "../generation.ts";
import { type Answer, type Route, route } from "../protocol.ts";
import { type ChatBody, chatBody } from "./chat-keys.ts";
import { messageOf } from "./chat-message.ts";
import { chatRequest } from "./chat-request.ts";
import { chatToken } from "./chat-token.ts";
import { frameOf } from "./frame.ts";
import { wantsUsage } from "./sampling-keys.ts";
import { gathered, type Sending, streamed } from "./sending.ts";

/** The route of chats. */
export const chat: Route = route({
  ...{ method: "POST", path: "/v1/chat/completions", summary: "The next message of a chat", body: chatBody },
  async handle(context: RequestContext, body: ChatBody): Promise<Answer | undefined> {
    const withUsage = wantsUsage(body);
    const generation = await context.server.engine.open(chatRequest(context, body));
    const frame = { ...frameOf("chatcmpl", generation), object: body.stream === true ? "chat.completion.chunk" : "chat.completion" };
    const sending = { generation, frame, withUsage };
    if (body.stream !== true) return whole(context, body, sending);
    const first = Array.from({ length: body.n ?? 1 }, (_, index) => choiceOf(index, { role: "assistant", content: "", refusal: null }));
    return streamed(context, sending, first, (event, chunk) => chunksOf(event, generation.tokenizer).forEach(chunk));
  },
});

async function whole(context: RequestContext, { n = 1 }: ChatBody, sending: Sending): Promise<Answer> {
  const choices = Array.from({ length: n }, () => ({ message: new ChatMessage(), logged: [] as LoggedToken[], finishReason: "" }));
  const usage = await gathered(context, sending, (event) => {
    if (event.type === "end") choices[event.choice]!.finishReason = event.finishReason;
    if (event.type !== "parts") return;
    choices[event.choice]!.message.add(event.parts);
    if (event.logged !== undefined) choices[event.choice]!.logged.push(event.logged);
  });
  const { frame, generation } = sending;
  const told = choices.map(({ message, logged, finishReason }, index) => ({
    ...{
      index,
      message: messageOf(message),
      logprobs: logged.length === 0 ? null : logprobsOf(generation.tokenizer, logged),
      finish_reason: finishReason,
    },
  }));
  return { body: { json: { ...frame, choices: told, usage } } };
}

/** The choices of the chunks that an event becomes: one for each part, the first with the token's log-probability. */
function chunksOf(event: GenerationEvent, tokenizer: Tokenizer): readonly unknown[] {
  if (event.type === "end") return [choiceOf(event.choice, {}, null, event.finishReason)];
  if (event.type !== "parts") return [];
  const logprobs = event.logged === undefined ? null : logprobsOf(tokenizer, [event.logged]);
  const deltas = event.parts.map(deltaOf);
  if (deltas.length === 0 && logprobs !== null) deltas.push({ content: "" });
  return deltas.map((delta, i) => choiceOf(event.choice, delta, i === 0 ? logprobs : null));
}

function choiceOf(index: number, delta: object, logprobs: object | null = null, finishReason: string | null = null): unknown {
  return { index, delta, logprobs, finish_reason: finishReason };
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
