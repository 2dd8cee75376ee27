// Answers of the server's OpenAI protocol as they come: server-sent events of a request (WHATWG HTML, section 9.2).
import { Refused, refusalOf } from "../api.ts";

/** Tokens that a request took. */
export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
}

/** A chunk of a chat or a completion, as far as the page reads it. */
export interface Chunk {
  readonly choices: readonly {
    readonly delta?: { readonly content?: string | null; readonly reasoning_content?: string };
    readonly text?: string;
    readonly logprobs?: {
      readonly tokens?: readonly string[];
      readonly token_logprobs?: readonly (number | null)[];
      readonly top_logprobs?: readonly (Readonly<Record<string, number>> | null)[];
    } | null;
    readonly finish_reason?: string | null;
  }[];
  readonly usage?: Usage | null;
  readonly error?: { readonly message: string };
}

/** Asks, and yields chunks until the answer ends. @throws Refused with the server's words; what fetch throws where it is aborted */
export async function* streamed(path: string, body: object, signal: AbortSignal): AsyncGenerator<Chunk> {
  const response = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ ...body, stream: true, stream_options: { include_usage: true } }),
    signal,
  });
  if (!response.ok || response.body === null) throw refusalOf(response, await response.json().catch(() => undefined));
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const events = (rest + value).split("\n\n");
    rest = events.pop() ?? "";
    for (const event of events) {
      const data = event
        .split("\n")
        .filter((line) => line.startsWith("data: "))
        .map((line) => line.slice("data: ".length))
        .join("\n");
      if (data === "" || data === "[DONE]") continue;
      const chunk = JSON.parse(data) as Chunk;
      if (chunk.error) throw new Refused(chunk.error.message, response.status);
      yield chunk;
    }
  }
}
