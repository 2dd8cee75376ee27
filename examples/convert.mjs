// A model in fewer bits, and what it loses by them: node examples/convert.mjs MODEL OUT.gguf TYPE TEXT
import { readFile } from "node:fs/promises";
import { openCpuBackend } from "cria";
import { convertModel, fileTypeOf } from "cria/convert";

const [model, out, type, path] = process.argv.slice(2);
if (path === undefined) throw new Error("usage: node examples/convert.mjs MODEL OUT.gguf TYPE TEXT");
const text = [await readFile(path, "utf8")];
const backend = await openCpuBackend();
const { bytes, tensors, measured } = await convertModel(model, out, {
  type: fileTypeOf(type),
  // Columns count as much as this text's activations are large; another text is better than the one that is measured.
  calibrate: text,
  measure: text,
  tokens: 4096,
  backend,
  onWarning: (warning) => console.warn(warning),
});
await backend.dispose();
const worst = tensors.toSorted((a, b) => b.error - a.error)[0];
console.log(`${bytes} bytes; ${worst.name} in ${worst.dtype} lost most: ${(100 * worst.error).toFixed(2)} %`);
for (const { name, dtype, wanted } of tensors) if (wanted !== undefined) console.log(`${name}: ${dtype} instead of ${wanted}`);
console.log(`perplexity ${measured.before.perplexity.toFixed(3)}, then ${measured.after.perplexity.toFixed(3)}`);
