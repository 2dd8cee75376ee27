// cria data get from the command line, against a host on this machine.
import { join } from "node:path";
import { expect, test } from "vitest";
import { withFolder } from "../files/with-folder.test.helper.ts";
import { FakeHost } from "../hub/fake-host.test.helper.ts";
import { commandRows } from "./commands.ts";
import { runWords } from "./terminal.test.helper.ts";

const cria = (...words: string[]) => runWords(["data", "get", ...words], commandRows);
const list = "Text#,Type,Issued,Title,Language\n3,Text,1990,B,en\n7,Text,1990,C,en\n";
const files = { "cache/epub/feeds/pg_catalog.csv.gz": list, "cache/epub/3/pg3.txt": "A llama.", "cache/epub/7/pg7.txt": "Two." };

test("an input is listed without fetching it, then fetched, and not again", async () => {
  await using server = await FakeHost.open(files);
  const words = ["gutenberg", "--language", "en", "--shards", "0-1", "--mirror", server.url];
  expect(await cria(...words, "--list")).toMatchObject({
    code: 0,
    stdout: `${server.url}/cache/epub/3/pg3.txt 8\n${server.url}/cache/epub/7/pg7.txt 4\n`,
  });
  expect(server.asked.filter((line) => line.startsWith("GET") && line.endsWith(".txt"))).toEqual([]);
  await withFolder(async (folder) => {
    const out = join(folder, "books");
    expect((await cria(...words, "--out", out)).stdout).toBe(
      `${out}: 2 files of 12 bytes, 2 fetched now; a recipe names them by paths: ${join(out, "pg*.txt")}\n`,
    );
    expect(JSON.parse((await cria(...words, "--out", out, "--json")).stdout)).toMatchObject({
      input: "gutenberg",
      fetched: 0,
      files: [{ bytes: 8 }, { name: "pg7.txt" }],
    });
  });
});

test("without an input it says what there is, and what is not fetched", async () => {
  const { stdout } = await cria();
  expect(stdout).toMatch(/^common-crawl --dump --shards\n/);
  expect(stdout).toMatch(/not fetched by this command, .*:\narxiv\n {2}.*reader pays[\s\S]*books3\n {2}.*Project Gutenberg/);
  expect(JSON.parse((await cria("--json")).stdout).inputs).toHaveLength(4);
});

test.each([
  [["arxiv"], /arxiv is not fetched by this command: .*requester/],
  [["commoncrawl"], /"commoncrawl" is no input, did you mean "common-crawl"/],
  [["common-crawl", "--shards", "0"], /common-crawl needs --dump/],
  [["wikipedia", "--language", "en", "--date", "20220101", "--dump", "x"], /--dump is not for wikipedia/],
  [["stack-exchange", "--shards", "9-2", "--list"], /--shards is "9-2"/],
  [["stack-exchange"], /--out/],
])("%j is refused", async (words, message) => {
  expect(await cria(...words)).toMatchObject({ code: 2, stdout: "", stderr: expect.stringMatching(message) });
});
