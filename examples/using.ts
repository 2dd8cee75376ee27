// A model that ends with its block, in TypeScript or Node 24: `await using` disposes of it, also where an error leaves the block.
import { Llama } from "cria";

/** What a model writes behind a prompt. */
export async function write(path: string, prompt: string): Promise<string> {
  await using llama = await Llama.load(path, { threads: 1 });
  let text = "";
  for await (const part of llama.generate(prompt, { maxTokens: 12, seed: 3 })) text += part;
  return text;
}
