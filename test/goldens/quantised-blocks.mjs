// Random rows and what cria makes of them, for quantised_blocks.py to hold against gguf-py:
//
//     node test/goldens/quantised-blocks.mjs FOLDER && python3 test/goldens/quantised_blocks.py compare FOLDER
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Rng } from "../../dist/base/index.js";
import { quantiseRows } from "../../dist/formats/index.js";

const [folder = "."] = process.argv.slice(2);
const columns = 4096;
const rng = new Rng(20261128);
// Normal numbers of all sizes, some rows with outliers, some of few values, so that there are ties.
const row = (r) => {
  const scale = 10 ** (8 * rng.uniform() - 6);
  if (r % 3 === 0) return Float32Array.from({ length: columns }, () => scale * rng.normal() ** 3);
  return Float32Array.from({ length: columns }, () => (r % 3 === 1 ? scale * rng.normal() : rng.below(64) / 8 - 4));
};
const values = new Float32Array(512 * columns);
for (let r = 0; r < 512; r++) values.set(row(r), r * columns);
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, "rows.f32"), values);
for (const dtype of ["f16", "bf16", "q8_0", "q4_0", "q4_1", "q5_0", "q5_1"])
  writeFileSync(join(folder, `${dtype}.bin`), quantiseRows(dtype, { values, columns }));
