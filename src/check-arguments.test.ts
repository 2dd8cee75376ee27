import { expect, test } from "vitest";
import { referenceBackend } from "./backend/reference/index.ts";
import { type GenerateOptions, Llama, openModel } from "./index.ts";
import { withFolder, writeTinyFolder } from "./load/tiny-model.test.helper.ts";

const anything = (value: unknown) => value as never;

test.each([
  [undefined, {}, "the path is undefined but must be a text that is not empty"],
  ["", {}, 'the path is "" but must be a text that is not empty'],
  [["a"], {}, "the path is an array of 1 but must be a text that is not empty"],
  ["x", 5, "the options are 5 but must be an object, such as {}"],
  ["x", null, "the options are null but must be an object, such as {}"],
  ["x", { threads: 0.5 }, "the option threads is 0.5 but must be an integer, at least 1"],
  ["x", { threads: "2" }, 'the option threads is "2" but must be an integer, at least 1'],
  ["x", { contextLength: Number.NaN }, "the option contextLength is NaN but must be an integer, at least 1"],
  ["x", { cacheType: "q4_0" }, 'the option cacheType is "q4_0" but must be "f32", "f16" or "q8_0"'],
  ["x", { signal: {} }, "the option signal is an object but must be an AbortSignal"],
  ["x", { onProgress: true }, "the option onProgress is true but must be a function"],
  ["x", { backend: "cpu" }, 'the option backend is "cpu" but must be a Backend'],
  ["x", { tokenizer: true }, "the option tokenizer is true but must be a text that is not empty"],
  ["x", { contextLenght: 5 }, 'unknown option "contextLenght", did you mean "contextLength"?'],
  [
    "x",
    { q: 5 },
    'unknown option "q": there are backend, threads, codeCache, tokenizer, contextLength, cacheType, pages, signal, onProgress',
  ],
])("load(%j, %j)", async (path, options, message) => {
  await expect(Llama.load(anything(path), anything(options))).rejects.toThrow(`[llama] ${message}`);
});

test("openModel takes a path", async () => {
  for (const path of [undefined, 5, {}, ""])
    await expect(openModel(anything(path))).rejects.toThrow(/^\[model\] the path is .* but must be a text/);
});

test("what generate is given wrongly is named, and the model goes on to write", async () => {
  await withFolder(async (folder) => {
    await writeTinyFolder(folder);
    await using llama = await Llama.load(folder, { backend: referenceBackend() });
    const write = async (prompt: unknown, options: unknown) => {
      for await (const _ of llama.generate(anything(prompt), anything(options))) void _;
    };
    const wrong: readonly [unknown, unknown, string][] = [
      [undefined, {}, "the prompt is undefined but must be a text"],
      [5, {}, "the prompt is 5 but must be a text"],
      ["a", { stop: 5 }, "the option stop is 5 but must be an array of texts, none of them empty"],
      ["a", { stop: "." }, 'the option stop is "." but must be an array of texts, none of them empty'],
      ["a", { stop: ["a", 5] }, "the option stop is an array of 2 but must be an array of texts, none of them empty"],
      ["a", { stopIds: 5 }, "the option stopIds is 5 but must be an array or another iterable of token ids"],
      ["a", { maxTokens: "5" }, 'the option maxTokens is "5" but must be an integer, at least 1, or Infinity'],
      ["a", { maxTokens: 0.5 }, "the option maxTokens is 0.5 but must be an integer, at least 1, or Infinity"],
      ["a", { temperature: "0" }, 'the option temperature is "0" but must be a number'],
      ["a", { temperature: null }, "the option temperature is null but must be a number"],
      ["a", { seed: Number.NaN }, "the option seed is NaN but must be a number"],
      ["a", { signal: {} }, "the option signal is an object but must be an AbortSignal"],
      ["a", { grammar: 5 }, "the option grammar is 5 but must be a grammar in GBNF or a Grammar"],
      ["a", { jsonSchema: "{}" }, 'the option jsonSchema is "{}" but must be a JSON schema: an object, true or false'],
      ["a", { whitespace: "tabs" }, 'the option whitespace is "tabs" but must be "space", "none", "indented"'],
      ["a", { maxToken: 5 }, 'unknown option "maxToken", did you mean "maxTokens"?'],
      ["a", [], "the options are an empty array but must be an object, such as {}"],
    ];
    for (const [prompt, options, message] of wrong) await expect(write(prompt, options)).rejects.toThrow(`[llama] ${message}`);
    const others: readonly [() => Promise<unknown>, string][] = [
      [
        () => write("a", { stopIds: ["</s>"] }),
        "the option stopIds is an array of 1 but must be an array or another iterable of token ids",
      ],
      [() => write("a", { draft: { open() {} } }), "the option draft is an object but must be a draft"],
      [() => llama.beams("a", anything(undefined)), "the options are undefined but must be an object"],
      [() => llama.beams("a", anything({ beams: 2, top: 1 })), 'unknown option "top"'],
      [
        () => llama.beams("a", { beams: 2, lengthPenalty: Number.POSITIVE_INFINITY }),
        "the option lengthPenalty is Infinity but must be a finite",
      ],
      [() => llama.logProbabilities("a", anything(null)), "the options are null but must be an object"],
      [() => llama.logProbabilities("a", { signal: anything(5) }), "the option signal is 5 but must be an AbortSignal"],
      [async () => llama.draftFor(anything(5)), "the larger model is 5 but must be a loaded model"],
    ];
    for (const [call, message] of others) await expect(call()).rejects.toThrow(`[llama] ${message}`);
    const outside = llama.tokenizer.vocabSize;
    await expect(write("a", { logitBias: new Map([[outside, 1]]) })).rejects.toThrow(
      `logitBias has token ${outside}, but the model has only`,
    );
    await expect(write("a", { grammar: 'root ::= "a"', jsonSchema: true })).rejects.toThrow(
      "grammar and jsonSchema are given: a text keeps to one of them",
    );
    await expect(write("a", { whitespace: "none" })).rejects.toThrow("whitespace is given, which is for jsonSchema");
    expect(() => llama.promptIds(anything(null))).toThrow("[llama] the prompt is null but must be a text");
    const given: GenerateOptions = { maxTokens: 2, temperature: 0 };
    await write("a", { ...given, seed: undefined });
    await expect(Llama.load(folder, { signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
  });
});
