// A vocabulary is explained, measured, extended, cut and written in other forms: node examples/vocabulary.mjs TOKENIZER TEXT OUT.gguf
import { readFile, writeFile } from "node:fs/promises";
import { openTokenizer } from "cria";
import { countTexts, openTexts } from "cria/data";
import { createTokenizer, cutVocabulary, explainer, extendTokenizer, extensionRules, ggufTokenizerBytes } from "cria/tokenizer";

const [path, file, out] = process.argv.slice(2);
if (out === undefined) throw new Error("usage: node examples/vocabulary.mjs TOKENIZER TEXT OUT.gguf");
const [tokenizer, text] = [await openTokenizer(path), await readFile(file, "utf8")];
const [{ words }] = explainer(tokenizer)("llamas sang").parts;
for (const { text: word, merges, ids } of words) console.log(`${word}: ${merges.length} merges, ids ${ids.join(" ")}`);
const ids = tokenizer.encode(text);
console.log(`${(Buffer.byteLength(text) / ids.length).toFixed(1)} bytes per token, ${new Set(ids).size} pieces used`);

const counts = await countTexts(await openTexts([file]), extensionRules(tokenizer.model), { threads: 1 });
const { model, merges } = await extendTokenizer(tokenizer.model, counts, { vocabSize: tokenizer.vocabSize + 20 });
console.log(`${merges} merges more: ${createTokenizer(model).encode(text).length < ids.length ? "fewer" : "as many"} tokens`);
const { model: smaller, oldIds } = cutVocabulary(tokenizer.model, tokenizer.encode("llamas sang"));
console.log(`cut to ${smaller.pieces.length} pieces: ${oldIds.length < tokenizer.vocabSize}`);

await writeFile(out, ggufTokenizerBytes(model));
console.log(`the same ids: ${(await openTokenizer(out)).encode(text).join() === createTokenizer(model).encode(text).join()}`);
