// Texts become shards of tokens, and these become batches: node examples/data.mjs TEXT TOKENIZER OUT
import { openTokenizer } from "cria";
import { PreparedData, parseDataRecipe, prepare, verifyPrepared } from "cria/data";

const [text, tokenizer, out] = process.argv.slice(2);
if (out === undefined) throw new Error("usage: node examples/data.mjs TEXT TOKENIZER OUT");
const recipe = parseDataRecipe({ sources: [{ paths: text, separator: "blank-lines" }], heldOut: 0.1 });
const signal = AbortSignal.timeout(60_000);
const manifest = await prepare(recipe, await openTokenizer(tokenizer), out, { signal });
for (const { name, documents, tokens } of manifest.sources) console.log(`${name}: ${documents} documents, ${tokens} tokens`);
const { files, hasChecksums } = await verifyPrepared(out);
console.log(`${files} files are what was written: ${hasChecksums}`);

const data = await PreparedData.open(out);
const batches = data.mixture({ batch: 4, length: 32, seed: 1 });
const { tokens } = await batches.next();
console.log(`a batch of ${tokens.length} tokens, ${batches.progress[0].tokensSeen} seen`);
// The batches that follow a saved state are those that would have followed.
const position = JSON.parse(JSON.stringify(batches.state));
const next = await batches.next();
batches.restore(position);
console.log(`the same again: ${(await batches.next()).tokens.join() === next.tokens.join()}`);
await data.close();
