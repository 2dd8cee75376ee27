// Scores, vectors, saved texts and long texts: node examples/library.mjs MODEL PROMPT SESSION
import { Llama } from "cria";

const [path, prompt, session] = process.argv.slice(2);
if (session === undefined) throw new Error("usage: node examples/library.mjs MODEL PROMPT SESSION");
// A short context, so that its end comes soon below; without the option it is as long as the model's.
const llama = await Llama.load(path, { threads: 1, contextLength: 16 });

// Which continuation is likelier, and by how much: the prompt is computed once for both.
const [first, second] = await llama.scoreAll(prompt, [" a llama", " zebras"]);
console.log(`${first.tokens.length} and ${second.tokens.length} tokens, ${first.logProbability < 0 && second.logProbability < 0}`);
const long = `${prompt} `.repeat(100);
console.log(`a text of any length: ${(await llama.scoreRolling(long)).logProbability < 0}`);

// Texts as vectors of length 1, whose product is the cosine of their angle.
const [a, b, c] = await llama.embed([prompt, prompt, "something else"]);
const cosine = (x, y) => x.reduce((sum, value, i) => sum + value * y[i], 0);
console.log(`${cosine(a, b).toFixed(3)}, and less with another text: ${cosine(a, c) < cosine(a, b)}`);

// What was read of a text is saved, and a later process goes on without reading it again.
const written = [];
for await (const { id } of llama.pieces(prompt, { maxTokens: 8, temperature: 0, stopIds: [] })) written.push(id);
await llama.save(session, [...llama.promptIds(prompt), ...written], { note: { asked: prompt } });
const { ids, note } = await llama.restore(session);
for await (const { prompt: counts } of llama.pieces(ids, { maxTokens: 1 }))
  console.log(`${note.asked === prompt}: of ${counts.tokens} tokens ${counts.cachedTokens} are not computed again`);

// A text that is longer than the context: it stops there, slides on, or is refused before anything is computed.
const reasons = [];
for (const contextEnd of ["stop", "slide"])
  for await (const { finishReason } of llama.pieces(prompt, {
    maxTokens: llama.contextLength + 9,
    temperature: 0,
    stopIds: [],
    contextEnd,
  }))
    if (finishReason !== undefined) reasons.push(`${contextEnd}: ${finishReason}`);
console.log(reasons.join(", "));
const refused = llama.pieces(prompt, { maxTokens: llama.contextLength + 9, contextEnd: "refuse" });
await refused.next().catch(({ message }) => console.log(message.includes("but the context holds")));
await llama.dispose();
