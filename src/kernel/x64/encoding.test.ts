import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { gnuAssemble, type Sample, samples } from "./encoding.test.helper.ts";
import { rows } from "./encoding.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const hasBinutils = gnuAssemble(["ret"]) !== undefined;

test("rows are read as Intel means them", () => {
  expect(rows.vfmadd231ps).toMatchObject({
    mnemonic: "vfmadd231ps",
    operands: [
      { access: "both", register: "v" },
      { access: "read", register: "v" },
      { access: "read", register: "v", memory: 0, broadcast: true },
    ],
    encodings: [
      { scheme: "VEX", w: 0, pp: 1, map: 2, opcode: [0xb8], modrm: "r", fields: { reg: 0, vvvv: 1, rm: 2, constants: [] } },
      { scheme: "EVEX", w: 0, pp: 1, map: 2, opcode: [0xb8], modrm: "r", tuple: "FV" },
    ],
  });
  expect(rows["shr.imm"].encodings).toMatchObject([
    { scheme: "legacy", w: 1, opcode: [0xc1], modrm: 5, fields: { rm: 0, constants: [1] } },
  ]);
});

// The table was made by GNU's assembler: test/goldens/make_x64_encodings.mjs.
test("every row gives the bytes of the table", () => {
  const golden = JSON.parse(readFileSync(new URL("../../../test/goldens/x64-encodings.golden.json", import.meta.url), "utf8")) as string[];
  expect(samples(8, 1).map(({ text, bytes }) => `${text} = ${hex(bytes)}`)).toEqual(golden);
});

test.skipIf(!hasBinutils)(
  `random operands of every row give what GNU's assembler gives${hasBinutils ? "" : ": binutils is not installed"}`,
  () => {
    const all = samples(150, 2);
    const theirs = gnuAssemble(all.map(({ prefix, text }) => prefix + text))!;
    expect(all.length).toBeGreaterThan(15_000);
    expect(all.flatMap((sample, i) => differs(sample, theirs[i]!))).toEqual([]);
  },
);

/** The rest of a cell is filled with int3. */
function differs({ prefix, text, bytes }: Sample, theirs: Uint8Array): string[] {
  const have = hex(bytes).padEnd(2 * theirs.length, "cc");
  return have === hex(theirs) ? [] : [`${prefix}${text}: ${hex(bytes)}, not ${hex(theirs)}`];
}
