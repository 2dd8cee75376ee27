// A model goes on from a prompt, and answers where it has a chat template: node examples/generate.mjs MODEL PROMPT
import { Llama } from "cria";

const [path, prompt] = process.argv.slice(2);
if (prompt === undefined) throw new Error("usage: node examples/generate.mjs MODEL PROMPT");
const llama = await Llama.load(path, { threads: 1 });
for await (const text of llama.generate(prompt, { maxTokens: 12, seed: 3 })) process.stdout.write(text);
process.stdout.write("\n");

// Token by token, with what else was likely; a time limit is a signal.
const signal = AbortSignal.timeout(60_000);
for await (const { id, text } of llama.pieces(prompt, { maxTokens: 2, temperature: 0, logProbabilities: 3, signal }))
  console.log(`token ${id}: ${JSON.stringify(text)}`);

const messages = [{ role: "user", content: prompt }];
if (llama.chatTemplates.length > 0) {
  console.log(`the model reads ${JSON.stringify(llama.renderChat(messages).text)}`);
  for await (const text of llama.chat(messages, { maxTokens: 12, seed: 4 })) process.stdout.write(text);
}
await llama.dispose();
