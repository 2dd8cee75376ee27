// Streams what a model writes behind a prompt: GET /generate?prompt=Once. The model of the environment's CRIA_MODEL is loaded once.
import { Llama } from "cria";

let loading;

export async function GET(request) {
  loading ??= Llama.load(process.env.CRIA_MODEL);
  const llama = await loading;
  const prompt = new URL(request.url).searchParams.get("prompt") ?? "";
  const pieces = llama.generate(prompt, { maxTokens: 12, seed: 3, signal: request.signal });
  return new Response(ReadableStream.from(pieces).pipeThrough(new TextEncoderStream()), {
    headers: { "content-type": "text/plain; charset=utf-8" },
  });
}
