// Writes what a model says behind a prompt: node dist/app.js MODEL PROMPT
import { Llama } from "cria";

const [path, prompt] = process.argv.slice(2);
const llama = await Llama.load(path);
for await (const text of llama.generate(prompt, { maxTokens: 12, seed: 3 })) process.stdout.write(text);
await llama.dispose();
