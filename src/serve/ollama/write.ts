// POST /api/chat and /api/generate: NDJSON as the text comes, which is what clients get unless they ask for it whole.
import { ollamaMessages, type Tool } from "../../dialogue/index.ts";
import type { DialogueOptions } from "../../llama/index.ts";
import { ChatMessage, wholeArguments } from "../chat-message.ts";
import type { RequestContext } from "../context.ts";
import type { Generation, LoggedToken, Prompt } from "../generation.ts";
import { type Answer, type Route, route } from "../protocol.ts";
import { type ParamNames, refuse, requestErrorOf } from "../request-error.ts";
import type { ServedModel } from "../served-model.ts";
import { tokenText } from "../token-text.ts";
import { errorBody } from "./errors.ts";
import { type ChatBody, chatBody, type GenerateBody, generateBody } from "./keys.ts";
import { nameWithoutTag, nameWithTag } from "./names.ts";
import { checkContext, mostTokens, writingOptions } from "./options.ts";
import { Timing } from "./timing.ts";

type Body = ChatBody | GenerateBody;

/** How a route tells what was written. */
type Form = "message" | "response";

/** The routes that write. */
export const writing: readonly Route[] = [
  route({
    ...{ method: "POST", path: "/api/chat", summary: "The next message of a chat, by Ollama's protocol", body: chatBody },
    handle: (context: RequestContext, body: ChatBody) => {
      context.notes.prompt = body.messages;
      return write(context, body, { form: "message", promptFor: () => chatPrompt(context, body) });
    },
  }),
  route({
    ...{ method: "POST", path: "/api/generate", summary: "A text that follows a prompt, by Ollama's protocol", body: generateBody },
    handle: (context: RequestContext, body: GenerateBody) => {
      context.notes.prompt = body.prompt;
      return write(context, body, { form: "response", promptFor: (model) => generatePrompt(model, body) });
    },
  }),
];

/** What errors call the parameters that have other names in OpenAI's chats. */
const names: ParamNames = [
  [/\bresponse_format\b/g, "format"],
  [/\breasoning_effort\b/g, "think"],
  [/\bmax_tokens\b/g, "options.num_predict"],
];

interface Asked {
  readonly form: Form;
  /** What the model reads; undefined where it shall only be loaded. */
  promptFor(model: ServedModel): Prompt | undefined;
}

function chatPrompt(context: RequestContext, { messages = [], tools = [], ...body }: ChatBody): Prompt | undefined {
  if (messages.length === 0) return undefined;
  const ignored = tools.filter(({ type }) => type !== "function");
  if (ignored.length > 0) context.ignoreTools(ignored.map(({ type }) => type));
  // What a tool must be is checked by the room dialogue, which names what is wrong.
  const known = tools.filter(({ type }) => type === "function") as unknown as readonly Tool[];
  return { messages: ollamaMessages(messages), dialogue: { tools: known, ...formatOf(body) }, ...effortOf(body) };
}

/** A prompt is a message of the user's where the model has a chat template, unless it is raw. */
function generatePrompt(
  { templateTexts }: ServedModel,
  { prompt = "", system = "", raw = false, ...body }: GenerateBody,
): Prompt | undefined {
  if (body.context !== undefined) refuse("context is not supported: send the conversation as messages to /api/chat", "context");
  if (prompt === "") return undefined;
  if (raw || templateTexts.size === 0) {
    const why = raw ? "the prompt is raw" : "this model has no chat template to put it into";
    if (system !== "") refuse(`system is given, but ${why}: leave it out`, "system");
    if (formatOf(body).responseFormat !== undefined) refuse(`format is given, but ${why}: leave it out`, "format");
    return { text: prompt };
  }
  const told = system === "" ? [] : [{ role: "system" as const, content: system }];
  return { messages: [...told, { role: "user", content: prompt }], dialogue: formatOf(body), ...effortOf(body) };
}

function formatOf({ format }: Pick<Body, "format">): DialogueOptions {
  if (format === undefined || format === "") return {};
  return { responseFormat: format === "json" ? { type: "json_object" } : { type: "json_schema", schema: format } };
}

function effortOf({ think }: Pick<Body, "think">): { readonly effort?: string } {
  if (think === undefined || think === true) return {};
  return { effort: think === false ? "none" : think };
}

async function write(context: RequestContext, body: Body, { form, promptFor }: Asked): Promise<Answer | undefined> {
  const timing = new Timing();
  const { shelf, engine } = context.server;
  const { options = {}, logprobs, top_logprobs: top = 0 } = body;
  using lease = await shelf.lease(nameWithoutTag(body.model), context.signal);
  checkContext(options, lease.model.contextLength);
  const prompt = explained(() => promptFor(lease.model));
  if (prompt === undefined)
    return { body: { json: { ...frame(lease.name), ...said(form, new ChatMessage()), done: true, done_reason: "load" } } };
  const generation = await engine.open({
    ...{ model: lease.name, prompts: [prompt], maxTokens: mostTokens(options), key: context.key, signal: context.signal, names },
    options: { ...writingOptions(options), ...(logprobs === true && { logProbabilities: top }) },
  });
  timing.opened();
  return body.stream === false ? await whole(context, generation, { form, timing }) : await streamed(context, generation, { form, timing });
}

/** @throws RequestError for what the room dialogue finds wrong in messages */
function explained<Result>(act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    throw requestErrorOf(error);
  }
}

interface Telling {
  readonly form: Form;
  readonly timing: Timing;
}

function frame(model: string) {
  return { model: nameWithTag(model), created_at: new Date().toISOString() };
}

/**
 * A message, or a text and what was thought before it. Arguments of calls are objects here, and calls have no ids; one within whose arguments the text
 * ended is left out, as clients would make it.
 */
function said(form: Form, message: ChatMessage): object {
  const { content, reasoning, calls } = message;
  if (form === "response") return { response: content, ...(reasoning !== "" && { thinking: reasoning }) };
  const told = calls.flatMap((call) => {
    const given = wholeArguments(call.arguments);
    return given === undefined ? [] : [{ function: { name: call.name, arguments: given } }];
  });
  return {
    message: { role: "assistant", content, ...(reasoning !== "" && { thinking: reasoning }), ...(told.length > 0 && { tool_calls: told }) },
  };
}

function logged({ tokenizer }: Generation, tokens: readonly LoggedToken[]): object {
  if (tokens.length === 0) return {};
  return {
    logprobs: tokens.map(({ id, told }) => ({
      ...{ token: tokenText(tokenizer, id), logprob: told?.logProbability ?? null },
      top_logprobs: (told?.top ?? []).map((one) => ({ token: tokenText(tokenizer, one.id), logprob: one.logProbability })),
    })),
  };
}

async function whole(context: RequestContext, generation: Generation, { form, timing }: Telling): Promise<Answer> {
  const message = new ChatMessage();
  const tokens: LoggedToken[] = [];
  let reason = "";
  for await (const event of generation.events()) {
    timing.add(event);
    if (event.type === "error") throw event.error;
    if (event.type === "parts") {
      message.add(event.parts);
      if (event.logged !== undefined) tokens.push(event.logged);
    }
    if (event.type === "end") reason = reasonOf(event.finishReason);
  }
  Object.assign(context.notes, { model: generation.model, ...timing.counts });
  const done = { done: true, done_reason: reason, ...timing.toJSON() };
  return { body: { json: { ...frame(generation.model), ...said(form, message), ...logged(generation, tokens), ...done } } };
}

/** Lines of JSON. A call comes whole, in a line of its own, because its arguments are an object. */
async function streamed(context: RequestContext, generation: Generation, { form, timing }: Telling): Promise<undefined> {
  const stream = context.stream({ headers: { "content-type": "application/x-ndjson" }, ping: undefined });
  const line = (value: object) => stream.send(`${JSON.stringify(value)}\n`);
  let calls = new ChatMessage();
  const tellCalls = () => {
    if (calls.calls.some((call) => wholeArguments(call.arguments) !== undefined))
      line({ ...frame(generation.model), ...said(form, calls), done: false });
    calls = new ChatMessage();
  };
  for await (const event of generation.events()) {
    timing.add(event);
    if (event.type === "error") {
      context.fail(event.error);
      line(errorBody(event.error) as object);
      stream.end();
      return;
    }
    if (event.type === "parts") {
      const text = new ChatMessage();
      text.add(event.parts.filter(({ type }) => type === "content" || type === "reasoning"));
      calls.add(event.parts.filter(({ type }) => type === "call" || type === "arguments"));
      const tokens = event.logged === undefined ? [] : [event.logged];
      if (text.content !== "" || text.reasoning !== "" || tokens.length > 0)
        line({ ...frame(generation.model), ...said(form, text), ...logged(generation, tokens), done: false });
    }
    if (event.type === "end") {
      tellCalls();
      const done = { done: true, done_reason: reasonOf(event.finishReason), ...timing.toJSON() };
      line({ ...frame(generation.model), ...said(form, new ChatMessage()), ...done });
    }
    await stream.ready();
  }
  Object.assign(context.notes, { model: generation.model, ...timing.counts });
  stream.end();
}

function reasonOf(finishReason: string): string {
  return finishReason === "length" ? "length" : "stop";
}
