// A text that is valid by a JSON schema, and one of a grammar: node examples/constrained.mjs MODEL PROMPT
import { jsonSchemaGrammar, Llama } from "cria";

const [path, prompt] = process.argv.slice(2);
if (prompt === undefined) throw new Error("usage: node examples/constrained.mjs MODEL PROMPT");
const llama = await Llama.load(path, { threads: 1 });
const schema = { type: "array", items: { type: "integer", minimum: 1, maximum: 9 }, minItems: 1, maxItems: 3 };
let text = "";
for await (const part of llama.generate(prompt, { jsonSchema: schema, seed: 3 })) text += part;
console.log(`a sum of ${JSON.parse(text).reduce((sum, number) => sum + number, 0)}`);

// A grammar in GBNF; the last token says why the text ends.
const grammar = 'root ::= word ("-" word){1,2} "."\nword ::= [a-z]{1,3}';
for await (const { text, finishReason } of llama.pieces(prompt, { grammar, maxTokens: 30, seed: 4 })) {
  process.stdout.write(text);
  if (finishReason !== undefined) console.log(` (${finishReason})`);
}

// Compiled once, a grammar serves many texts, and judges texts by itself.
const compiled = jsonSchemaGrammar(schema, { whitespace: "none" });
console.log(compiled.accepts("[1,2]"), compiled.accepts("[0]"));
await llama.dispose();
