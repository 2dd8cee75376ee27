// cria tokenizer explain and stats, and what cria says where a file is something else than it was called with.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { tokenizerJson } from "../formats/index.ts";
import { mergeList, type TokenizerModel, trainTokenizer } from "../tokenizer/index.ts";
import { commandRows } from "./commands.ts";
import { packageRoot } from "./package-root.ts";
import { runWords } from "./terminal.test.helper.ts";

let folder = "";
let tokenizer = "";
const at = (name: string) => join(folder, name);
const run = (...words: readonly string[]) => runWords(["tokenizer", ...words], commandRows);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-explain-"));
  tokenizer = at("tokenizer.json");
  const model = await trainTokenizer(["the low lower lowest of the low"], { kind: "sentencepiece", vocabSize: 280 });
  await writeFile(tokenizer, JSON.stringify(tokenizerJson(model)));
  await writeFile(at("a.txt"), "the low, the lower\nProst 日本!\n");
  await writeFile(at("b.txt"), "низкий\n");
  await writeFile(at("empty.json"), "");
});

afterAll(() => rm(folder, { recursive: true }));

test("explain shows text, words, merges and ids, and what was not taken", async () => {
  const { stdout, stderr, code } = await run("explain", tokenizer, "low low<s>日");
  expect([stderr, code]).toEqual(["", 0]);
  expect(stdout).toMatch(
    /^text {7}"low low<s>日"\nnormalised " low low<s>日"\nwords {6}▁low │ ▁low<s>日\n▁low {2}▁ l o w\n {2,}\d+ {2}l \+ o +▁ lo w\n/,
  );
  expect(stdout).toMatch(/"<0xE6>".*"<0x97>".*"<0xA5>"\nnot taken {2}1 "<s>": a special piece is plain text without --special\nids {8}\d/);
  expect(stdout).not.toContain("\u001b");
  const ids = (await run("encode", tokenizer, "low low<s>日")).stdout;
  expect(stdout.endsWith(`ids        ${ids}`)).toBe(true);
});

test("explain says that it explains the name of a file, not what is in it", async () => {
  const { stdout, stderr, code } = await run("explain", tokenizer, at("a.txt"));
  expect(code).toBe(0);
  expect(stderr).toBe(
    `note: ${at("a.txt")} is a file, but its name is explained, not what is in it: for that, give - as TEXT and the file as standard input\n`,
  );
  expect(stdout).toContain(`text       ${JSON.stringify(at("a.txt"))}\n`);
});

test("explain takes special pieces where it is asked to, says why, and colours a terminal", async () => {
  const { stdout } = await run("explain", tokenizer, "low<s>low", "--special", "--bos", "--eos");
  expect(stdout).toMatch(/\nin front {3}1 "<s>"\nstretch {4}"low"\n/);
  expect(stdout).toMatch(/\npiece {6}1 "<s>": a special piece, which was asked for\n/);
  expect(stdout).toMatch(/\nbehind {5}2 "<\/s>"\n/);
  const coloured = await runWords(["tokenizer", "explain", tokenizer, "low"], commandRows, { colours: true });
  expect(coloured.stdout).toContain("\u001b[32mlo\u001b[39m");
});

test("explain --json has every step", async () => {
  const { stdout } = await run("explain", tokenizer, "low", "--json");
  const { parts, ids, pieces } = JSON.parse(stdout);
  expect(pieces).toEqual(["▁low"]);
  expect(parts[0].words[0]).toMatchObject({ text: "▁low", symbols: ["▁", "l", "o", "w"], isWhole: false, ids });
  expect(parts[0].words[0].merges.at(-1).symbols).toEqual(["▁low"]);
});

test("stats counts bytes and tokens of every text, of scripts, and pieces", async () => {
  const [a, b] = [at("a.txt"), at("b.txt")];
  const { stdout, code } = await run("stats", tokenizer, a, b, "--json");
  const { texts, all, scripts, pieces, used, unused, longest } = JSON.parse(stdout);
  expect(code).toBe(0);
  expect(texts.map(({ name, bytes }: { name: string; bytes: number }) => [name, bytes])).toEqual([
    [a, 33],
    [b, 13],
  ]);
  expect(all.bytes).toBe(46);
  expect(texts[1].byteTokens).toBe(13); // no letter of the second text is a piece
  expect(all.byteTokens).toBe(texts[0].byteTokens + 13);
  expect(scripts.find(({ name }: { name: string }) => name === "Cyrillic")).toEqual({ name: "Cyrillic", bytes: 12, tokens: 12 });
  expect(scripts.find(({ name }: { name: string }) => name === "Han")).toEqual({ name: "Han", bytes: 6, tokens: 6 });
  expect(scripts.reduce((sum: number, { tokens }: { tokens: number }) => sum + tokens, 0)).toBe(all.tokens);
  expect(used + unused.length).toBe(pieces);
  expect(longest[0]).toMatchObject({ piece: "▁lower", count: 1 });
  const table = (await run("stats", tokenizer, a, b)).stdout;
  expect(table).toMatch(/ +bytes +tokens +bytes per token +byte tokens +unknown\n/);
  expect(table).toMatch(/\nall +46 +\d+ +1\.\d\d +\d+\.\d\d % +0 %\n/);
  expect(table).toMatch(/\npieces: \d+ of \d+ used, \d+ \(\d+\.\d\d %\) not\nlongest not used: ".*"\nlongest used: "▁lower" × 1/);
});

test("stats tells documents apart by their language, where a classifier is given", async () => {
  const golden = JSON.parse(await readFile(join(packageRoot, "test", "goldens", "fasttext.golden.json"), "utf8"));
  await writeFile(at("lid.bin"), Buffer.from(golden.models[0].model, "base64"));
  await writeFile(at("languages.txt"), "the llama walked to the water\n\nand drank with the others\n\nлама пошла к воде\n");
  const texts = [tokenizer, at("languages.txt"), "--separator", "blank-lines", "--languages", at("lid.bin")];
  const { languages } = JSON.parse((await run("stats", ...texts, "--json")).stdout);
  expect(languages).toEqual([
    { name: "en", documents: 2, bytes: 54, tokens: expect.any(Number) },
    { name: "ru", documents: 1, bytes: 31, tokens: expect.any(Number) },
  ]);
  expect((await run("stats", ...texts)).stdout).toMatch(
    /\nlanguage +bytes +tokens +bytes per token +documents\nen +54 +\d+ +\d\.\d\d +2\nru /,
  );
  expect(await run("stats", tokenizer, at("a.txt"), "--languages", at("a.txt"))).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("it does not begin as fastText's files do"),
  });
});

test.each([
  [["explain"], 2, "TOKENIZER and TEXT are needed"],
  [["explain", "x", "a".repeat(2001)], 2, "TEXT has 2001 characters, and every merge is shown: give at most 2000 of them"],
  [["stats"], 2, "TOKENIZER is missing"],
  [["stats", "x"], 2, "no texts: name files, folders or patterns"],
])("%j is refused", async (words, code, message) => {
  const found = await run(...words);
  expect([found.code, found.stdout]).toEqual([code, ""]);
  expect(found.stderr).toContain(message);
});

test("inspect shows a tokenizer, too; an empty file is called one; a file's name is encoded with a note", async () => {
  const shown = await runWords(["inspect", tokenizer], commandRows);
  expect(shown).toEqual(await run("inspect", tokenizer));
  const both = await runWords(["inspect", tokenizer, "--tokenizer", tokenizer], commandRows);
  expect(both.stderr).toMatch(/is a tokenizer, no model: omit --tokenizer/);
  expect((await run("inspect", at("empty.json"))).stderr).toMatch(/empty\.json: it is empty, and a tokenizer is needed: tokenizer\.json/);
  const { stdout, stderr } = await run("encode", tokenizer, at("a.txt"));
  expect(stderr).toBe(
    `note: ${at("a.txt")} is encoded as it is spelt, though a file is called so; for what it holds: npx cria tokenizer encode ${tokenizer} - < ${at("a.txt")}\n`,
  );
  expect(stdout).toMatch(/^[\d ]+\n$/);
});

test("inspect tells how a text is cut and how pieces say where in a word they stand", async () => {
  const file = at("suffix.json");
  const model = {
    kind: "sentencepiece",
    pieces: ["<unk>", "l", "##o", "##w</w>", "lo", "low</w>"],
    merges: mergeList([
      [1, 2],
      [4, 3],
    ]),
    specials: [0],
    unkId: 0,
    byteFallback: false,
    continuingPrefix: "##",
    wordSuffix: "</w>",
    escapesSpaces: false,
    dummyPrefix: "never",
    prefixBeforeSpace: false,
    preTokeniser: [{ type: "whiteSpace" }, { type: "scripts" }],
  } as const satisfies TokenizerModel;
  await writeFile(file, JSON.stringify(tokenizerJson(model)));
  expect((await run("inspect", file)).stdout).toContain(
    'cut into words  whiteSpace, scripts\nwithin a word   pieces begin with "##"\nend of a word   pieces end with "</w>"\n',
  );
  expect(JSON.parse((await run("inspect", file, "--json")).stdout)).toMatchObject({ continuingPrefix: "##", wordSuffix: "</w>" });
  expect((await run("encode", file, "low low")).stdout).toBe("5 5\n");
});

test("explain refuses bytes that are no text, and names the place", async () => {
  const stdin = async () => Uint8Array.of(0x61, 0xff, 0x62);
  const { stdout, stderr, code } = await runWords(["tokenizer", "explain", tokenizer, "-"], commandRows, { stdin });
  expect([stdout, code]).toEqual(["", 1]);
  expect(stderr).toMatch(
    /^\[tokenizer explain\] stdin: its text is not UTF-8 from byte 1 on: .*tokenizer encode, which takes any bytes\n$/,
  );
});
