// Hashes of the n-grams of well-known licences: node test/goldens/make_licences.mjs FOLDER > src/corpus/texts/code/licence-hashes.ts, then Biome.
// FOLDER holds the package spdx-license-list 6.12.0 (npm) unpacked. Needs a build, because the hashes are those of src/corpus/texts/code/licences.ts.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gramHashes } from "../../dist/corpus/texts/code/licences.js";

const ids =
  `MIT MIT-0 X11 ISC 0BSD BSD-1-Clause BSD-2-Clause BSD-3-Clause BSD-4-Clause Apache-1.1 Apache-2.0 GPL-1.0-only GPL-2.0-only GPL-3.0-only
LGPL-2.0-only LGPL-2.1-only LGPL-3.0-only AGPL-3.0-only MPL-1.1 MPL-2.0 EPL-1.0 EPL-2.0 CDDL-1.0 Unlicense CC0-1.0 CC-BY-3.0 CC-BY-4.0 CC-BY-SA-3.0
CC-BY-SA-4.0 CC-BY-NC-4.0 CC-BY-NC-SA-4.0 Zlib BSL-1.0 Artistic-2.0 WTFPL Python-2.0 OFL-1.1 EUPL-1.2 MS-PL Elastic-2.0 SSPL-1.0 BUSL-1.1 NCSA PostgreSQL`.split(
    /\s+/,
  );
const most = 120;

const lines = ids.map((id) => {
  const { licenseText } = JSON.parse(readFileSync(join(process.argv[2], "licenses", `${id}.json`), "utf8"));
  const all = [...gramHashes(licenseText)];
  const divisor = Math.max(1, Math.floor(all.length / most));
  const kept = Uint32Array.from(all.filter((hash) => hash % divisor === 0)).sort();
  return `  ${JSON.stringify(id)}: [${divisor}, ${JSON.stringify(Buffer.from(kept.buffer).toString("base64"))}],`;
});
console.log(`// Made by test/goldens/make_licences.mjs from SPDX's texts (spdx-license-list 6.12.0): hashes of the n-grams of well-known licences.

/** Licences by their SPDX names: the hashes, as base64 of little-endian words of 32 bits, that the number before them divides. */
export const licenceHashes: Readonly<Record<string, readonly [divisor: number, hashes: string]>> = {
${lines.join("\n")}
};`);
