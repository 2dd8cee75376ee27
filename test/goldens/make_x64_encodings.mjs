// Writes x64-encodings.golden.json: what GNU's assembler (binutils) makes of samples of every row of src/kernel/x64/encoding.ts. Run after a build.
import { writeFileSync } from "node:fs";
import { gnuAssemble, samples } from "../../dist/kernel/x64/encoding.test.helper.js";

const all = samples(8, 1);
const theirs = gnuAssemble(all.map(({ prefix, text }) => prefix + text));
if (theirs === undefined) throw new Error("binutils is not installed");
// A cell is the instruction, then int3: its length is taken from ours, and what follows must be int3.
const lines = all.map(({ text, bytes }, i) => {
  const hex = Buffer.from(theirs[i]).toString("hex");
  if (!/^(cc)*$/.test(hex.slice(bytes.length * 2))) throw new Error(`${text}: ${hex} is longer than ours`);
  return `${text} = ${hex.slice(0, bytes.length * 2)}`;
});
writeFileSync(new URL("x64-encodings.golden.json", import.meta.url), `${JSON.stringify(lines, null, 0).replaceAll('","', '",\n"')}\n`);
