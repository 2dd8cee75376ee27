// Tracing against the texts themselves: what a window holds stands in the documents that are named, where it is said to stand.
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PreparedData } from "../corpus/index.ts";
import { openAnyTokenizer } from "../load/index.ts";
import { commandRows } from "./commands.ts";
import { packageRoot } from "./package-root.ts";
import { runWords } from "./terminal.test.helper.ts";

let folder: string;
const inside = (name: string) => join(folder, name);
const fixture = join(packageRoot, "test", "fixtures", "2026-11-28-checksums");
const cria = (...words: string[]) => runWords(words, commandRows);
const tales = Array.from({ length: 30 }, (_, i) => `Tale ${i}: a llama saw path ${i * i} — ${"and walked ".repeat(i % 7)}home.`);
const pages = Array.from({ length: 60 }, (_, i) => ({
  url: `http://a.example/${i}`,
  text: `Page ${i} of llamas, ${"far ".repeat(i % 5)}away.`,
}));
const long = Array.from({ length: 400 }, (_, i) => `Line ${i} of a long book.`).join("\n");

const trainYaml = `
data: data
tokenizer: tokenizer.json
model: { dim: 8, nLayers: 1, nHeads: 2, contextLength: 32 }
steps: 6
batch: 3
accumulation: 2
learningRate: 1e-3
threads: 1
evaluation: { every: 6, tokens: 32 }
checkpoints: { every: 3, keep: 2 }
`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-trace-"));
  await cp(join(fixture, "bytes.json"), inside("tokenizer.json"));
  await writeFile(inside("tales.txt"), tales.join("\n\n"));
  await writeFile(inside("pages.jsonl"), [...pages, ...pages.slice(0, 9)].map((page) => `${JSON.stringify(page)}\n`).join(""));
  await writeFile(inside("long.txt"), long);
  const sources = [
    "  - { name: tales, paths: tales.txt, separator: blank-lines, weight: 2 }",
    "  - { name: pages, paths: pages.jsonl, weight: 1, steps: [dedupDocuments] }",
    "  - { name: book, paths: long.txt, weight: 1 }",
  ];
  await writeFile(inside("data.yaml"), `sources:\n${sources.join("\n")}\nheldOut: 0.1\nshardTokens: 700\n`);
  await writeFile(inside("train.yaml"), trainYaml);
  const prepared = await cria("data", "prepare", inside("data.yaml"), "--tokenizer", inside("tokenizer.json"), "--out", inside("data"));
  expect(prepared).toMatchObject({ code: 0 });
  expect(await cria("train", inside("train.yaml"), "--out", inside("run"))).toMatchObject({ code: 0 });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The whole document that an origin names. */
function documentOf(source: string, document: string): string {
  const number = Number(/#(\d+)$/.exec(document)?.[1]);
  return { tales: tales[number], pages: pages[number]?.text, book: long }[source] ?? "";
}

test("every token of a step is traced to the text that it is of", async () => {
  await using data = await PreparedData.open(inside("data"));
  expect(data.manifest.sources.map(({ shards, origins }) => [shards.length > 1, origins?.files.length === shards.length])).toContainEqual([
    true,
    true,
  ]);
  const tokenizer = await openAnyTokenizer(inside("tokenizer.json"));
  const mixture = data.mixture({ batch: 3, length: 32, seed: 0 });
  const seed = Number(/seed: (\d+)/.exec(await readFile(inside("run/train.yaml"), "utf8"))?.[1] ?? 0);
  expect(seed).toBe(0);
  const seen = new Set<string>();
  for (let step = 1; step <= 6; step++) {
    const { windows } = JSON.parse((await cria("data", "trace", inside("run"), String(step), "--json")).stdout);
    const batches = [await mixture.next(), await mixture.next()];
    const rows = batches.flatMap(({ tokens }) => [0, 1, 2].map((row) => tokens.subarray(32 * row, 32 * row + 32)));
    expect(windows).toHaveLength(rows.length);
    for (const [i, { source, documents }] of windows.entries()) {
      let at = 0;
      for (const { from, count, length, origin, text, shard, byte } of documents) {
        const whole = documentOf(source, origin.document);
        const tokens = [...rows[i]!.subarray(at, at + count)];
        const said = tokenizer.decode(tokens);
        // A character may be cut at a window's end, which decodes to the replacement character.
        expect(whole.slice(origin.at)).toContain(said.replaceAll("\ufffd", ""));
        expect(whole.slice(origin.at).replace(/\s+/g, " ").trimStart().startsWith(text.replace(/…$/, "").replaceAll("\ufffd", ""))).toBe(
          true,
        );
        expect(from + count).toBeLessThanOrEqual(length);
        const bytes = await readFile(inside(`data/${shard}`));
        expect(tokens).toEqual(Array.from({ length: count }, (_, k) => bytes.readUInt16LE(byte + 2 * k)));
        if (source === "pages") expect(origin.url).toBe(pages[Number(origin.document.split("#")[1])]?.url);
        if (origin.at > 0) seen.add("a stretch");
        at += count;
        seen.add(source);
      }
      expect(at).toBe(32);
    }
  }
  expect([...seen].sort()).toEqual(["a stretch", "book", "pages", "tales"]);
});

test("a step is told to people, document by document", async () => {
  const { stdout, stderr } = await cria("data", "trace", inside("run"), "2");
  expect(stderr).toBe("");
  expect(stdout).toMatch(
    /^step 2 of .*run: 6 windows of 32 tokens\nwindow 0, of \w+\n {2}\w+-0000\d\.tokens document \d+, tokens \d+ to \d+ of \d+, byte \d+: \w+\.\w+#\d+/,
  );
  expect(stdout).toMatch(/: pages\.jsonl#\d+, http:\/\/a\.example\/\d+\n {4}Page \d+ of llamas/);
});

test.each([
  ["0", /STEP is "0", but the run has steps 1 to 6/],
  ["7", /STEP is "7", but the run has steps 1 to 6/],
  ["two", /STEP is "two"/],
])("step %s is none", async (step, message) => {
  expect(await cria("data", "trace", inside("run"), step)).toMatchObject({ code: 2, stdout: "", stderr: expect.stringMatching(message) });
});

test("data of an earlier version has no index of origins, and another preparation is not the run's", async () => {
  await cp(fixture, inside("earlier"), { recursive: true });
  const earlier = await cria("data", "trace", inside("earlier/run"), "3");
  expect(earlier).toMatchObject({
    code: 1,
    stdout: "",
    stderr: expect.stringMatching(/an earlier version prepared it, without the index of origins .*: prepare it again/),
  });
  await cp(inside("run"), inside("other"), { recursive: true });
  const yaml = (await readFile(inside("data.yaml"), "utf8")).replace("heldOut: 0.1", "heldOut: 0.2");
  await writeFile(inside("more.yaml"), yaml);
  await cria("data", "prepare", inside("more.yaml"), "--tokenizer", inside("tokenizer.json"), "--out", inside("more"));
  await writeFile(inside("other/train.yaml"), (await readFile(inside("run/train.yaml"), "utf8")).replace("data: ../data", "data: ../more"));
  const other = await cria("data", "trace", inside("other"), "3");
  expect(other).toMatchObject({ code: 1, stderr: expect.stringMatching(/was trained on other shards of "\w[\w-]*" than .*more has/) });
});

test("an index that is damaged is named, and verify finds it", async () => {
  await cp(inside("data"), inside("damaged"), { recursive: true });
  const path = inside("damaged/tales-00000.origins");
  const bytes = await readFile(path);
  await cp(inside("run"), inside("onto"), { recursive: true });
  await writeFile(
    inside("onto/train.yaml"),
    (await readFile(inside("run/train.yaml"), "utf8")).replace("data: ../data", "data: ../damaged"),
  );
  for (const [cut, message] of [
    [bytes.subarray(0, -3), /tales-00000\.origins: its end tells of/],
    [bytes.subarray(0, 20), /too few for \d+ documents/],
    [
      Buffer.concat([bytes.subarray(0, 8), Buffer.alloc(bytes.length - 24, 7), bytes.subarray(-16)]),
      /tales-00000\.origins: document \d+ stands from byte/,
    ],
  ] as const) {
    await writeFile(path, cut);
    const told = await Promise.all(["1", "2", "3", "4", "5", "6"].map((step) => cria("data", "trace", inside("onto"), step)));
    expect(told.map(({ stderr }) => stderr).join("")).toMatch(message);
    expect((await cria("data", "verify", inside("damaged"))).stderr).toContain("tales-00000.origins has SHA-256");
  }
});
