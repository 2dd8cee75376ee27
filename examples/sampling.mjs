// Several texts, the likeliest ones, and what a model thinks of a text: node examples/sampling.mjs MODEL PROMPT
import { Llama, lookupDraft } from "cria";

const [path, prompt] = process.argv.slice(2);
if (prompt === undefined) throw new Error("usage: node examples/sampling.mjs MODEL PROMPT");
const llama = await Llama.load(path, { threads: 1 });
const texts = ["", "", ""];
const options = { maxTokens: 12, seed: 3, temperature: 0.9, minP: 0.02, dryMultiplier: 0.8, presencePenalty: 0.2 };
for await (const { choice, text } of llama.choices(prompt, texts.length, options)) texts[choice] += text;
console.log(texts.map((text) => JSON.stringify(text)).join("\n"));

const [best] = await llama.beams(prompt, { beams: 4, maxTokens: 6 });
console.log(`the likeliest text: ${JSON.stringify(best.text)}, ${best.logProbability.toFixed(1)} nats`);

const told = await llama.logProbabilities(prompt, { top: 1 });
for (const { id, told: one } of told.slice(1)) console.log(`token ${id}: ${one.logProbability.toFixed(2)}, likelier is ${one.top[0].id}`);

// Guesses of a small model, or of the text itself, change nothing but the time that it takes.
const draft = lookupDraft();
let [alone, guessed] = ["", ""];
for await (const text of llama.generate(prompt, { maxTokens: 40, seed: 5 })) alone += text;
for await (const text of llama.generate(prompt, { maxTokens: 40, seed: 5, draft })) guessed += text;
console.log(`the same text: ${alone === guessed}; ${draft.accepted <= draft.proposed}`);
await llama.dispose();
