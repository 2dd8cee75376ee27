// llama.cpp's own tests as the judge of GGUF vocabularies: texts in NAME.gguf.inp, the ids of each in a line of NAME.gguf.out.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { openAnyTokenizer } from "./index.ts";
import { sharedData } from "./shared-data.test.helper.ts";

const folder = sharedData("conformance/llama.cpp");

test.skipIf(folder === undefined).each(["llama-spm", "phi-3", "gpt-2"])("%s: the ids of llama.cpp", async (name) => {
  const path = `${folder}/ggml-vocab-${name}.gguf`;
  const tokenizer = await openAnyTokenizer(path);
  const texts = readFileSync(`${path}.inp`, "utf8").split("\n__ggml_vocab_test__\n").slice(0, -1);
  const lines = readFileSync(`${path}.out`, "utf8").trimEnd().split("\n");
  expect(lines.length).toBe(texts.length);
  texts.forEach((text, i) => {
    expect([...tokenizer.encode(text)].join(" "), JSON.stringify(text)).toBe(lines[i]!.trim());
  });
});
