// `npm run bench [-- NAME …]`: runs the benches, one file a question, and prints what they measured. Nothing here asserts a time. What takes many minutes,
// raw-against-clean.mjs, or a file, ngrams-large.mjs, is started by itself.
import { readdirSync } from "node:fs";
import { cpus, totalmem } from "node:os";

const folder = new URL(".", import.meta.url);
const notBenches = ["run.mjs", "measure.mjs", "write-models.mjs", "synthetic-dump.mjs", "raw-against-clean.mjs", "ngrams-large.mjs"];
const names = readdirSync(folder)
  .filter((file) => file.endsWith(".mjs") && !notBenches.includes(file))
  .map((file) => file.slice(0, -4));
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  console.error(`[bench] no bench "${unknown.join(", ")}": there are ${names.join(", ")}`);
  process.exit(2);
}

const cpu = cpus();
console.log(
  `${new Date().toISOString().slice(0, 10)}, ${cpu.length} × ${cpu[0].model}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}`,
);
for (const name of wanted.length > 0 ? wanted : names) {
  console.log(`\n== ${name}`);
  await (await import(new URL(`${name}.mjs`, folder))).run();
}
