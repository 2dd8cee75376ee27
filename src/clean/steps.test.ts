// Every step against another implementation: verdicts of datatrove's filters, with its tokenizers replaced by the ones that are ours.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { reasonOf } from "./datatrove-reasons.test.helper.ts";
import { CleanDocument, isDropped, type Outcome, stepRows } from "./index.ts";

interface Golden {
  readonly texts: readonly string[];
  readonly personal: readonly (readonly [text: string, masked: string])[];
  readonly cases: readonly { readonly step: string; readonly parameters: unknown; readonly verdicts: readonly Verdict[] }[];
}

/** True where a document stays, a rewritten text, or datatrove's reason. */
type Verdict = true | string | { readonly kept: string };

function told(outcome: Outcome, text: string): Verdict {
  if (isDropped(outcome)) return outcome.reason;
  return outcome.text === text ? true : { kept: outcome.text };
}

const noFiles = { read: () => Promise.reject(new Error("no step reads a file here")) };

const golden: Golden = JSON.parse(readFileSync(new URL("../../test/goldens/clean-filters.golden.json", import.meta.url), "utf8"));

test.each(golden.cases.map((one, i) => ({ ...one, name: `${one.step} ${i}` })))("$name says what datatrove says", async (one) => {
  const row = stepRows.find(({ name }) => name === one.step);
  const step = await row?.open(row.parameters.parse(one.parameters), noFiles);
  const ours = golden.texts.map((text) => step && told(step.apply(new CleanDocument(text)), text));
  expect(ours).toEqual(one.verdicts.map((verdict) => (typeof verdict === "string" ? reasonOf(verdict) : verdict)));
});

test("each step names its reasons, and tells no other", async () => {
  for (const row of stepRows.filter(({ files }) => files === undefined)) {
    const step = await row.open(row.parameters.parse({}), noFiles);
    for (const text of golden.texts) {
      const outcome = step.apply(new CleanDocument(text));
      if (isDropped(outcome)) expect(Object.keys(row.reasons)).toContain(outcome.reason);
    }
  }
});

test("the language of a text is what the classifier says, and texts of others go", async () => {
  const models: { readonly models: readonly { readonly name: string; readonly model: string }[] } = JSON.parse(
    readFileSync(new URL("../../test/goldens/fasttext.golden.json", import.meta.url), "utf8"),
  );
  const files = { read: async () => new Uint8Array(Buffer.from(models.models[0]!.model, "base64")) };
  const row = stepRows.find(({ name }) => name === "language")!;
  const said = async (text: string, more: object = {}) => {
    const step = await row.open(row.parameters.parse({ model: "lid.bin", ...more }), files);
    const outcome = step.apply(new CleanDocument(text, { id: "a" }));
    return isDropped(outcome) ? outcome : outcome.facts;
  };
  expect(await said("the llama walked to the water")).toMatchObject({ id: "a", language: "en", languageScore: expect.any(Number) });
  expect(await said("das Lama ging\nzum Wasser", { languages: ["de", "ru"] })).toMatchObject({ language: "de" });
  expect(await said("das Lama ging zum Wasser", { languages: ["en"] })).toEqual({ reason: "other", measured: "de", found: ["de"] });
  await expect(said("text", { languages: ["en", "dee"] })).rejects.toThrow('knows no "dee", did you mean "de"?');
  // CCNet deletes line ends, which joins the words around them.
  const joined = (text: string) => said(text, { lineEnds: "deleted", minScore: 0 });
  expect(await joined("das Lama ging\nzum Wasser")).toEqual(await said("das Lama gingzum Wasser", { minScore: 0 }));
  expect(await joined("das Lama ging\nzum Wasser")).not.toEqual(await said("das Lama ging zum Wasser", { minScore: 0 }));
  expect(await said("the llama das Lama", { minScore: 0.999999 })).toMatchObject({ reason: "unsure", limit: 0.999999 });
});

async function opened(name: string, parameters: object, files: Readonly<Record<string, string>> = {}) {
  const row = stepRows.find((one) => one.name === name)!;
  const read = async (path: string) => new TextEncoder().encode(files[path] ?? expect.unreachable(path));
  return row.open(row.parameters.parse(parameters), { read });
}

test("e-mail and IP addresses are masked as datatrove masks them", async () => {
  const step = await opened("maskPersonal", { email: "E", ip: "I", phone: null, key: null });
  for (const [text, masked] of golden.personal)
    expect(told(step.apply(new CleanDocument(text)), text)).toEqual(masked === text ? true : { kept: masked });
});

test("telephone numbers and keys are masked, other numbers stay", async () => {
  const step = await opened("maskPersonal", {});
  const masked = (text: string) => told(step.apply(new CleanDocument(text)), text);
  expect(masked("call (212) 555-1234 or +1 212 555 1234, now")).toEqual({ kept: "call 555-0100 or 555-0100, now" });
  expect(masked(`use AKIA${"ABCDEFGH".repeat(2)} and sk-${"a1".repeat(15)}.`)).toEqual({ kept: "use [key] and [key]." });
  expect(masked("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nx")).toEqual({ kept: "[key]\nx" });
  for (const text of ["in 1999 2000 people, 3.1415926535, 123-45-6789", "1234567890123", "skinny-llamas"]) expect(masked(text)).toBe(true);
  const long = `${"a".repeat(200_000)}@${"b.".repeat(100_000)} ${"1.".repeat(200_000)} ${"@".repeat(100_000)}`;
  expect(step.apply(new CleanDocument(long))).toBeInstanceOf(CleanDocument); // It ends, because nothing is looked at again and again.
});

test("lists block by host, address, word, and by words of the text", async () => {
  const lists = { "hosts.txt": "# bad\nEvil.example\n", "urls.txt": "https://a.example/x?y", "words.txt": "Casino\n" };
  const urls = await opened("blockUrls", { hosts: "hosts.txt", urls: "urls.txt", words: "words.txt" }, lists);
  const ofUrl = (url?: string) => told(urls.apply(new CleanDocument("text", { url })), "text");
  expect(
    ["https://www.evil.example:80/a", "http://user@EVIL.example", "https://a.example/x?y", "http://b.example/Casino-1"].map(ofUrl),
  ).toEqual(["host", "host", "url", "word"]);
  for (const url of ["https://notevil.example", "https://a.example/x", "http://b.example/casinos", undefined])
    expect(ofUrl(url)).toBe(true);
  const words = await opened("blockWords", { list: "w.txt" }, { "w.txt": "Bad\nc++ code\n" });
  const ofText = (text: string) => told(words.apply(new CleanDocument(text)), text);
  expect(["so BAD!", "my c++ code is", "badly", "c++ codes"].map(ofText)).toEqual(["word", "word", true, true]);
  expect(
    told((await opened("blockWords", { list: "w.txt", isWhole: false }, { "w.txt": "悪" })).apply(new CleanDocument("最悪だ")), ""),
  ).toBe("word");
  await expect(opened("blockUrls", { words: "w.txt" }, { "w.txt": "free-spins\n" })).rejects.toThrow('"free-spins" is not of a to z');
  await expect(opened("blockUrls", {})).rejects.toThrow("blockUrls has no list");
  await expect(opened("blockWords", { list: "w.txt" }, { "w.txt": "# none\n" })).rejects.toThrow("w.txt holds no word");
});

test("a document that holds an item of a test goes, whatever its case and marks, and says which item", async () => {
  const item = "The quick brown fox jumps over the lazy dog";
  const files = { "t.jsonl": `{"q":"short"}\n{"q":["${item} again."],"n":3}\n`, "t.txt": "one two three four five six\n" };
  const step = await opened("decontaminate", { tests: ["t.jsonl", "t.txt"], words: 6 }, files);
  const measured = (text: string) => {
    const outcome = step.apply(new CleanDocument(text));
    return isDropped(outcome) ? outcome.measured : undefined;
  };
  expect(measured("He said: the QUICK, brown fox; jumps over!")).toBe("t.jsonl:2");
  expect(measured("zero one two three four five six seven")).toBe("t.txt:1");
  expect(measured("the quick brown fox jumps under the lazy dog")).toBeUndefined();
  const shared = { "a.txt": `${item}\nso ${item}\n${item}, and more words than that\n` };
  const outcome = (await opened("decontaminate", { tests: ["a.txt"], words: 6 }, shared)).apply(new CleanDocument(item));
  expect(outcome).toMatchObject({ found: ["a.txt:1", "a.txt:2", "a.txt:3"] });
  expect(step.apply(new CleanDocument(`one two three four five six. ${item}, one two three four five six`))).toMatchObject({
    found: ["t.txt:1", "t.jsonl:2"],
  });
  await expect(opened("decontaminate", { tests: ["t.txt"], words: 20, leastWords: 7 }, files)).rejects.toThrow("no item has 7 words");
});

test("an item that is too short for n-grams is looked for as a whole, and of shorter ones it is told how many there are", async () => {
  const long = "a b c d e f g h i j k l m n o p";
  const files = {
    "t.txt": `one two three\n${long}\nthe quick brown fox jumps over the lazy dog\nfour\n`,
    "u.jsonl": `{"q":"a","c":"${long}"}\n`,
  };
  const step = await opened("decontaminate", { tests: ["t.txt", "u.jsonl"] }, files);
  expect(step.notes).toEqual(["2 of 4 items of t.txt have fewer than 8 words, and are not looked for"]);
  const found = (text: string) => {
    const outcome = step.apply(new CleanDocument(text));
    return isDropped(outcome) ? outcome.found : undefined;
  };
  expect(found("So the quick brown fox jumps over the lazy dog.")).toEqual(["t.txt:3"]);
  expect(found("The quick brown fox jumps over the lazy")).toBeUndefined();
  expect(found("So the quick brown fox jumps over the lazy")).toBeUndefined();
  expect(found("b c d e f g h i j k l m")).toBeUndefined();
  expect(found("b c d e f g h i j k l m n. The quick brown fox jumps over the lazy dog")).toEqual(["t.txt:2", "u.jsonl:1", "t.txt:3"]);
  expect((await opened("decontaminate", { tests: ["u.jsonl"] }, files)).notes).toEqual([]);
});

test("lengths are bounded, and code is told from data", async () => {
  const length = await opened("length", { minCharacters: 3, maxCharacters: 5 });
  expect(["ab", "abc", "😀😀😀😀😀", "abcdef"].map((text) => told(length.apply(new CleanDocument(text)), text))).toEqual([
    "short",
    true,
    true,
    "long",
  ]);
  const code = await opened("codeQuality", {});
  const said = (text: string) => told(code.apply(new CleanDocument(text)), text);
  expect([
    said(`const a = 1;\n${"x".repeat(1001)}`),
    said(`${"word ".repeat(30)}\n`.repeat(3)),
    said("{[(;;)]}\n".repeat(9)),
    said("let x = f(y);\n"),
  ]).toEqual(["longLine", "longLines", "symbols", true]);
  // Characters beyond U+FFFF count once: 600 of them are no line of 1,200.
  expect(code.apply(new CleanDocument(`${"😀".repeat(600)}\n`.repeat(2)))).toMatchObject({ reason: "longLines", measured: 400 });
  expect(code.apply(new CleanDocument("𝒳𝟙😀😀😀😀😀😀"))).toBeInstanceOf(CleanDocument);
  expect(code.apply(new CleanDocument("𝒳😀😀😀😀😀😀"))).toMatchObject({ reason: "symbols", measured: 1 / 7 });
});

test("a classifier keeps what is likely to be of a kind", async () => {
  const models: { readonly models: readonly { readonly model: string }[] } = JSON.parse(
    readFileSync(new URL("../../test/goldens/fasttext.golden.json", import.meta.url), "utf8"),
  );
  const files = { read: async () => new Uint8Array(Buffer.from(models.models[0]!.model, "base64")) };
  const row = stepRows.find(({ name }) => name === "classifier")!;
  const open = (parameters: object) => row.open(row.parameters.parse({ model: "m.bin", ...parameters }), files);
  const step = await open({ label: "en" });
  const said = (text: string) => {
    const outcome = step.apply(new CleanDocument(text));
    return isDropped(outcome) ? outcome : outcome.facts;
  };
  expect(said("the llama walked")).toEqual({ "score:en": expect.closeTo(1, 1) });
  expect(said("das Lama ging zum Wasser")).toMatchObject({ reason: "unlikely", limit: 0.25 });
  await expect(open({ label: "fr" })).rejects.toThrow('m.bin knows no label "fr"');
});
