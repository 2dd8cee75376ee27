// A tokenizer learns from a text and is written as tokenizer.json: node examples/tokenizer.mjs TEXT OUT.json
import { readFile, writeFile } from "node:fs/promises";
import { createTokenizer, memorySource, openTokenizer, sourceFiles, tokenizerJson, trainTokenizer } from "cria/tokenizer";

const [path, out] = process.argv.slice(2);
if (out === undefined) throw new Error("usage: node examples/tokenizer.mjs TEXT OUT.json");
const documents = (await readFile(path, "utf8")).split("\n\n");
const specials = { bos: "<s>", eos: "</s>" };
const model = await trainTokenizer(documents, { kind: "bytes", vocabSize: 400, specials });
const tokenizer = createTokenizer(model);
const ids = tokenizer.encode(documents[0], { bos: true });
console.log(`${documents[0].length} characters are ${ids.length} tokens`);
console.log(`they come back: ${tokenizer.decode(ids.subarray(1)) === documents[0]}`);

const json = new TextEncoder().encode(JSON.stringify(tokenizerJson(model)));
await writeFile(out, json);
// It opens from bytes, wherever these are from.
const files = sourceFiles("memory", { "tokenizer.json": memorySource("tokenizer.json", json) });
const again = await openTokenizer({ files, file: "tokenizer.json" });
console.log(`opened again, it has ${again.vocabSize} pieces`);
