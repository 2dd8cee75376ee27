// The types of files beside what llama.cpp's own llama_model_quantize chose for models of these sizes; src/convert/llama-cpp.long.test.ts asks it again.
import { expect, test } from "vitest";
import { type LlamaConfig, llamaConfig, type ParameterRow, parameterRows } from "../../model/index.ts";
import { type FileType, fileTypeNumber, fileTypeOf, fileTypes, layoutFor } from "./index.ts";

/** Layouts of a part, layer by layer, with how often each follows itself. */
function layouts(config: LlamaConfig, type: FileType, part: string, isCalibrated = false): string {
  const rows = parameterRows(config).filter(({ name }) => name === part || name.replace(/^layers\.\d+\./, "") === part);
  return rows.map((row) => layoutFor(row, type, config, isCalibrated).dtype).join(" ");
}

const config = llamaConfig({ vocabSize: 512, dim: 256, nLayers: 16, nHeads: 4, hiddenDim: 512 });
const repeat = (times: number, dtype: string) => Array(times).fill(dtype).join(" ");
const moreBits = "q6_K q6_K q4_K q4_K q6_K q4_K q4_K q6_K q4_K q4_K q6_K q4_K q4_K q6_K q6_K q6_K";

test("names, in any letters, and llama.cpp's numbers", () => {
  expect(fileTypes.map((type) => fileTypeOf(type.toUpperCase()))).toEqual(fileTypes);
  expect([fileTypeOf("q4_k"), fileTypeOf("Q5_K"), fileTypeOf("q3_K_M")]).toEqual(["q4_K_M", "q5_K_M", undefined]);
  expect(fileTypes.map(fileTypeNumber)).toEqual([0, 1, 32, 7, 2, 3, 8, 9, 14, 15, 16, 17, 18]);
});

test("mixed types have more bits where they matter most", () => {
  for (const part of ["attention.value", "ffn.down"]) {
    expect(layouts(config, "q4_K_M", part)).toBe(moreBits);
    expect(layouts(config, "q5_K_M", part)).toBe(moreBits.replaceAll("q4_K", "q5_K"));
    expect(layouts(config, "q5_K_S", part)).toBe(repeat(16, "q5_K"));
  }
  expect(layouts(config, "q4_K_S", "attention.value")).toBe(`${repeat(4, "q5_K")} ${repeat(12, "q4_K")}`);
  expect(layouts(config, "q4_K_S", "ffn.down")).toBe(`${repeat(2, "q5_K")} ${repeat(14, "q4_K")}`);
  for (const part of ["attention.query", "attention.key", "attention.output", "ffn.gate", "ffn.up"])
    expect(layouts(config, "q4_K_M", part)).toBe(repeat(16, "q4_K"));
});

test("the output matrix, or the table that is tied to it, has q6_K in any type below q8_0; vectors are float32", () => {
  const tied = { ...config, tiedOutput: true };
  for (const type of ["q4_0", "q4_1", "q5_0", "q5_1", "q4_K_S", "q4_K_M", "q5_K_S", "q5_K_M", "q6_K"] as const) {
    expect(layouts(config, type, "output")).toBe("q6_K");
    expect(layouts(tied, type, "embedding")).toBe("q6_K");
    expect(layouts(config, type, "embedding")).toBe(type.slice(0, 4));
    expect(layouts(config, type, "finalNorm.gain")).toBe("f32");
  }
  for (const type of ["f32", "f16", "bf16", "q8_0"] as const)
    for (const part of ["output", "embedding"]) expect(layouts(config, type, part)).toBe(type);
});

test("an importance gives the first layers of two types a minimum", () => {
  expect(layouts(config, "q4_0", "ffn.down", true)).toBe(`${repeat(2, "q4_1")} ${repeat(14, "q4_0")}`);
  expect(layouts(config, "q5_0", "ffn.down", true)).toBe(`${repeat(2, "q5_1")} ${repeat(14, "q5_0")}`);
  expect(layouts(config, "q4_1", "ffn.down", true)).toBe(repeat(16, "q4_1"));
});

test("values that eight heads share have more bits in the largest models", () => {
  const large = { ...config, nLayers: 80, nHeads: 8, nKvHeads: 1, headDim: 32 };
  expect(layouts(large, "q4_K_S", "attention.value")).toBe(repeat(80, "q5_K"));
  expect(layouts(large, "q4_K_M", "attention.value")).not.toContain("q4_K");
  expect(layouts({ ...large, nKvHeads: 8 }, "q4_K_S", "attention.value")).toContain("q4_K");
});

test("rows that are no whole blocks have the next layout, or f16, and say what was wanted", () => {
  const row = (columns: number): ParameterRow => ({ name: "layers.0.attention.query", shape: [8, columns], init: 1, decay: true });
  const chosen = (type: FileType, columns: number) => layoutFor(row(columns), type, config, false);
  expect(chosen("q4_K_M", 512)).toEqual({ dtype: "q4_K" });
  expect(chosen("q4_K_M", 576)).toEqual({ dtype: "q5_0", wanted: "q4_K" });
  expect(chosen("q5_K_M", 576)).toEqual({ dtype: "q5_1", wanted: "q5_K" });
  expect(chosen("q6_K", 576)).toEqual({ dtype: "q8_0", wanted: "q6_K" });
  for (const [type, wanted] of [
    ["q4_K_M", "q4_K"],
    ["q6_K", "q6_K"],
    ["q8_0", "q8_0"],
    ["q4_0", "q4_0"],
  ] as const)
    expect(chosen(type, 172)).toEqual({ dtype: "f16", wanted });
  expect(chosen("bf16", 171)).toEqual({ dtype: "bf16" });
  for (const type of ["q4_0", "q4_K_M", "q6_K"] as const) {
    expect(layoutFor({ ...row(576), name: "output" }, type, config, false)).toEqual({ dtype: "q8_0", wanted: "q6_K" });
    expect(layoutFor({ ...row(172), name: "output" }, type, config, false)).toEqual({ dtype: "f16", wanted: "q6_K" });
  }
});
