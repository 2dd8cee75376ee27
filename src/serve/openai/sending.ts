// What chats and completions have in common when their answers are sent: whole, or as server-sent events.
import type { RequestContext } from "../context.ts";
import type { Generation, GenerationEvent } from "../generation.ts";
import { errorBody } from "./errors.ts";
import type { Frame } from "./frame.ts";
import { UsageCount } from "./usage.ts";

/** What is sent, and what it is made of. */
export interface Sending {
  readonly generation: Generation;
  /** What every object begins with. */
  readonly frame: Frame & { readonly object: string };
  /** Whether a stream ends with a chunk of usage. */
  readonly withUsage: boolean;
}

/** Waits for all events. @throws RequestError where one of them says that the request failed */
export async function gathered(
  context: RequestContext,
  { generation }: Sending,
  take: (event: GenerationEvent) => void,
): Promise<UsageCount> {
  const usage = new UsageCount();
  for await (const event of generation.events()) {
    usage.add(event);
    if (event.type === "error") throw event.error;
    take(event);
  }
  usage.note(context.notes, generation.model);
  return usage;
}

/**
 * Sends events as they come; an error is an event, too, as the headers have gone.
 * @param first choices that are told at once
 * @param tell sends choices by `chunk` for what an event brought
 */
export async function streamed(
  context: RequestContext,
  { generation, frame, withUsage }: Sending,
  first: readonly unknown[],
  tell: (event: GenerationEvent, chunk: (choice: unknown) => void) => void,
): Promise<undefined> {
  const stream = context.stream();
  const usage = new UsageCount();
  const chunk = (choice: unknown) => stream.event({ ...frame, choices: [choice], ...(withUsage && { usage: null }) });
  first.forEach(chunk);
  for await (const event of generation.events()) {
    usage.add(event);
    if (event.type === "error") {
      context.fail(event.error);
      stream.event(errorBody(event.error));
      stream.end();
      return;
    }
    tell(event, chunk);
    await stream.ready();
  }
  usage.note(context.notes, generation.model);
  if (withUsage) stream.event({ ...frame, choices: [], usage });
  stream.event("[DONE]");
  stream.end();
}
