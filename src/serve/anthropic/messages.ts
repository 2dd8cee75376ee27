// POST /v1/messages: the next message of a chat, whole or as it comes; and /v1/messages/count_tokens.
import { randomBytes } from "node:crypto";
import type { RequestContext } from "../context.ts";
import type { Generation, GenerationEvent } from "../generation.ts";
import { type Answer, type Route, route } from "../protocol.ts";
import { Blocks, stopOf } from "./blocks.ts";
import { errorBody } from "./errors.ts";
import { type CountBody, countBody, type MessagesBody, messagesBody } from "./keys.ts";
import { chatPrompt, messageRequest, names } from "./request.ts";

/** The route of messages. */
export const messages: Route = route({
  ...{ method: "POST", path: "/v1/messages", summary: "The next message of a chat, by Anthropic's protocol", body: messagesBody },
  async handle(context: RequestContext, body: MessagesBody): Promise<Answer | undefined> {
    const generation = await context.server.engine.open(messageRequest(context, body));
    return body.stream === true ? streamed(context, generation) : whole(context, generation);
  },
});

/** The route that counts. */
export const countTokens: Route = route({
  ...{ method: "POST", path: "/v1/messages/count_tokens", summary: "The tokens of a prompt", body: countBody },
  async handle(context: RequestContext, body: CountBody): Promise<Answer> {
    const prompts = [chatPrompt(context, body)];
    const tokens = await context.server.engine.count({ model: body.model, prompts, signal: context.signal, names });
    return { body: { json: { input_tokens: tokens } } };
  },
});

/** What was read and written, in the protocol's words: what was read before is told apart. */
class Usage {
  #read = 0;
  #cached = 0;
  #written = 0;

  add(event: GenerationEvent): void {
    if (event.type === "start") [this.#read, this.#cached] = [event.promptTokens, event.cachedTokens];
    if (event.type === "end") this.#written = event.completionTokens;
  }

  note(context: RequestContext, model: string): void {
    Object.assign(context.notes, { model, promptTokens: this.#read, cachedTokens: this.#cached, completionTokens: this.#written });
  }

  toJSON(): unknown {
    return {
      ...{ input_tokens: this.#read - this.#cached, cache_read_input_tokens: this.#cached, cache_creation_input_tokens: 0 },
      ...{ output_tokens: this.#written },
    };
  }
}

function frameOf({ model }: Generation) {
  return { id: `msg_${randomBytes(12).toString("hex")}`, type: "message", role: "assistant", model };
}

async function whole(context: RequestContext, generation: Generation): Promise<Answer> {
  const [blocks, usage] = [new Blocks(), new Usage()];
  let stop: ReturnType<typeof stopOf> | undefined;
  for await (const event of generation.events()) {
    usage.add(event);
    if (event.type === "error") throw event.error;
    if (event.type === "parts") blocks.add(event.parts);
    if (event.type === "end") stop = stopOf(event);
  }
  blocks.end();
  usage.note(context, generation.model);
  return { body: { json: { ...frameOf(generation), content: blocks.blocks, ...stop, usage } } };
}

/** Events are named by their type; one begins the message once the prompt was read, and one ends it: there is no other mark of the end. */
async function streamed(context: RequestContext, generation: Generation): Promise<undefined> {
  const stream = context.stream({ ping: `event: ping\ndata: {"type":"ping"}\n\n` });
  const send = (event: { readonly type: string }) => stream.event(event, event.type);
  const [blocks, usage] = [new Blocks(), new Usage()];
  for await (const event of generation.events()) {
    usage.add(event);
    if (event.type === "error") {
      context.fail(event.error);
      stream.event(errorBody(event.error), "error");
      stream.end();
      return;
    }
    if (event.type === "start") {
      const message = { ...frameOf(generation), content: [], stop_reason: null, stop_sequence: null, usage };
      stream.event({ type: "message_start", message }, "message_start");
      stream.event({ type: "ping" }, "ping");
    }
    if (event.type === "parts") for (const one of blocks.add(event.parts)) send(one);
    if (event.type === "end") {
      for (const one of blocks.end()) send(one);
      stream.event({ type: "message_delta", delta: stopOf(event), usage }, "message_delta");
    }
    await stream.ready();
  }
  usage.note(context, generation.model);
  send({ type: "message_stop" });
  stream.end();
}
