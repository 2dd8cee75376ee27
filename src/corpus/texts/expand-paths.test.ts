import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { expandPaths } from "./expand-paths.ts";
import { PassedOver } from "./passed-over.ts";
import { openTexts } from "./texts.ts";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "cria-paths-")));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Uint8Array = "x"): string {
  const path = join(folder, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, content);
  return path;
}

async function expand(...paths: string[]): Promise<string[]> {
  return (await expandPaths(paths, folder, "data", new PassedOver())).map(({ path }) => path.slice(folder.length + 1));
}

test("patterns: names, folders, stars, braces; sorted, each file once", async () => {
  for (const name of ["g/b.md", "g/a.md", "g/in/c.md", "g/in/deep/d.md", "g/in/c.txt", "g/a+b.md", "g/[x].md"]) file(name);
  expect(await expand("g/*.md")).toEqual(["g/[x].md", "g/a+b.md", "g/a.md", "g/b.md"]);
  expect(await expand("g/?.md", "g/a.md")).toEqual(["g/a.md", "g/b.md"]);
  expect(await expand("g/**/*.md")).toEqual(["g/[x].md", "g/a+b.md", "g/a.md", "g/b.md", "g/in/c.md", "g/in/deep/d.md"]);
  expect(await expand("g/**/deep/*")).toEqual(["g/in/deep/d.md"]);
  expect(await expand("g/in")).toEqual(["g/in/c.md", "g/in/c.txt", "g/in/deep/d.md"]);
  expect(await expand("g/in/*.{md,txt}")).toEqual(["g/in/c.md", "g/in/c.txt"]);
  expect(await expand("g/{in,none}/c.*")).toEqual(["g/in/c.md", "g/in/c.txt"]);
  expect(await expand("{g/in,g}/[ab].md")).toEqual(["g/a.md", "g/b.md"]);
  expect(await expand(join(folder, "g/in/*.txt"))).toEqual(["g/in/c.txt"]);
  expect(await expand("g/[x].md")).toEqual(["g/[x].md"]); // there is such a file
});

test("of hidden files only those count as passed over that a pattern would take", async () => {
  for (const name of ["h/a.txt", "h/.b.txt", "h/.c.md", "h/.git/d.txt"]) file(name);
  const passed = async (pattern: string) => {
    const passedOver = new PassedOver();
    await expandPaths([pattern], folder, "data", passedOver);
    return passedOver.count("hidden");
  };
  expect(await passed("h/*.txt")).toBe(1);
  expect(await passed("h/**/*.txt")).toBe(2);
  expect(await passed("h")).toBe(3);
});

test.each([
  ["*.nothing", /\*\.nothing: no file under .* matches it: correct the pattern/],
  ["none/*.txt", /none\/\*\.txt: no file under .*none matches it/],
  ["nowhere/x.txt", /nowhere\/x\.txt: no such file/],
])("%s names nothing", async (path, message) => {
  await expect(expand(path)).rejects.toThrow(message);
});

test("links to files are followed, folders by links once, circles end, links to nothing are counted", async () => {
  const [a, b] = [file("l/real/a.txt", "a"), file("l/store/b.txt", "b")];
  symlinkSync(b, join(folder, "l/real/b.txt"));
  symlinkSync(a, join(folder, "l/real/again.txt"));
  symlinkSync(join(folder, "l/real"), join(folder, "l/real/loop"));
  symlinkSync(join(folder, "l/store"), join(folder, "l/real/other"));
  symlinkSync(join(folder, "l/none"), join(folder, "l/real/broken"));
  symlinkSync("../..", join(folder, "l/real/up"));
  const passedOver = new PassedOver();
  const found = await expandPaths(["l/real"], folder, "data", passedOver);
  expect(found.map(({ path }) => path.slice(folder.length + 1))).toEqual(["l/real/a.txt", "l/real/b.txt"]);
  expect(passedOver.count("broken")).toBe(1);
  expect(passedOver.count("repeated")).toBe(3); // again.txt, loop and other/b.txt
  expect(passedOver.count("around")).toBe(1); // the link `up`, whose other files are not meant
  mkdirSync(join(folder, "l/only"));
  symlinkSync(b, join(folder, "l/only/b.txt"));
  expect(await expand("l/only")).toEqual(["l/only/b.txt"]);
  expect(await expand("l/only/*.txt")).toEqual(["l/only/b.txt"]);
  symlinkSync(join(folder, "l/store"), join(folder, "l/way"));
  expect(await expand("l/way/**/*.txt")).toEqual(["l/way/b.txt"]);
});

test("of a content without a name and links to it, as in Hugging Face's cache, the telling name counts", async () => {
  const blob = file("hub/blobs/0123abcd", '{"text":"x"}\n');
  mkdirSync(join(folder, "hub/snapshots/1"), { recursive: true });
  symlinkSync(blob, join(folder, "hub/snapshots/1/data.jsonl"));
  await using texts = await openTexts(["hub"], {}, { folder });
  expect(texts.files.map(({ path, form }) => [path.slice(folder.length + 1), form.name])).toEqual([
    ["hub/snapshots/1/data.jsonl", "jsonl"],
  ]);
});

test("hidden files, binaries and pipes in a folder are passed over with a count; what is named is not", async () => {
  for (const name of ["p/.git/x.txt", "p/.hidden.txt", "p/a.txt"]) file(name);
  file("p/image.png", Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0]));
  if (process.platform !== "win32") execFileSync("mkfifo", [join(folder, "p/pipe")]);
  await using texts = await openTexts(["p"], {}, { folder });
  expect(texts.files.map(({ path }) => path)).toEqual([join(folder, "p/a.txt")]);
  const special = process.platform === "win32" ? "" : ", 1 pipe or device \\(.*pipe\\)";
  expect(texts.notes).toEqual([
    expect.stringMatching(new RegExp(`^passed over: 2 hidden files and folders \\(.*, …\\), 1 binary file \\(.*image\\.png\\)${special}$`)),
  ]);
  await using hidden = await openTexts(["p/.hidden.txt", "p/.git/*.txt"], {}, { folder });
  expect(hidden.files.length).toBe(2);
  await expect(openTexts(["p/image.png"], {}, { folder })).rejects.toThrow(/image\.png: it holds bytes that no text has/);
  file("q/.only.txt");
  await expect(openTexts(["q"], {}, { folder })).rejects.toThrow(
    /q: the folder holds no files to read \(passed over: 1 hidden file or folder/,
  );
});

test("runs and prepared data in a folder of texts are passed over; a pattern may name what lies in them", async () => {
  for (const name of ["m/a.txt", "m/runs/x/train.yaml", "m/runs/x/tokenizer.json", "m/runs/x/text/text.jsonl", "m/data/manifest.json"])
    file(name);
  file("m/data/text-00000.tokens");
  file("m/other/train.yaml.txt");
  await using texts = await openTexts(["m"], {}, { folder });
  expect(texts.files.map(({ path }) => path)).toEqual(["m/a.txt", "m/other/train.yaml.txt"].map((name) => join(folder, name)));
  expect(texts.notes).toEqual([expect.stringMatching(/^passed over: 2 runs and folders of prepared data \(.*, …\)$/)]);
  expect(await expand("m/runs/*/text/*.jsonl")).toEqual(["m/runs/x/text/text.jsonl"]);
});

test.skipIf(process.platform === "win32")("a device is refused", async () => {
  await expect(expand("/dev/zero")).rejects.toThrow(/\/dev\/zero: it is a device, not a file/);
});

test("files of packages: the nearest package counts, and labels are the same wherever it lies", async () => {
  for (const [place, version] of [
    ["p", "1.0.0"],
    ["p/in", "2.0.0"],
  ]) {
    file(`${place}/node_modules/@a/b/package.json`, JSON.stringify({ version }));
    for (const name of ["one.txt", "sub/two.txt", "sub/three.md"]) file(`${place}/node_modules/@a/b/${name}`, version);
  }
  const opened = async (from: string, ...paths: string[]) => {
    await using texts = await openTexts(paths, {}, { folder: join(folder, from) });
    const read: string[] = [];
    for await (const { text, place } of texts.placedDocuments()) read.push(`${place} ${text}`);
    return { read, roots: texts.files.map(({ root }) => root.slice(folder.length + 1)) };
  };
  expect((await opened("p", "npm:@a/b/**/*.txt")).read).toEqual(["npm:@a/b/one.txt#0 1.0.0", "npm:@a/b/sub/two.txt#0 1.0.0"]);
  expect(await opened("p/in/deep/er", "npm:@a/b/sub")).toEqual({
    read: ["npm:@a/b/sub/three.md#0 2.0.0", "npm:@a/b/sub/two.txt#0 2.0.0"],
    roots: ["p/in/node_modules/@a/b", "p/in/node_modules/@a/b"],
  });
  await expect(opened("g", "npm:@a/b/one.txt")).rejects.toThrow("the package @a/b is not installed here");
});
