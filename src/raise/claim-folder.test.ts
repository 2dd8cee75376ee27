import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { claimFolder, type FolderWish, giveUpFolder, isSecondChoice } from "./claim-folder.ts";

const before = process.cwd();
let folder: string;
const wish = (out?: string): FolderWish => ({ out, usual: join("runs", "demo"), where: "demo" });

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-claim-"));
  process.chdir(folder);
});

afterEach(async () => {
  process.chdir(before);
  await rm(folder, { recursive: true });
});

test("claims made at the same time get different folders", async () => {
  const claimed = await Promise.all(Array.from({ length: 5 }, () => claimFolder(wish())));
  expect(new Set(claimed).size).toBe(5);
  expect(claimed.toSorted()[0]).toBe(join("runs", "demo"));
  expect(claimed.filter((path) => isSecondChoice(path, wish()))).toHaveLength(4);
});

test("a folder in use is refused and stays as it is; an empty one is taken", async () => {
  await mkdir("used");
  await writeFile("used/file", "mine");
  await expect(claimFolder(wish("used"))).rejects.toThrow(/used: it is not empty \(it holds file\): choose another folder/);
  expect(await readdir("used")).toEqual(["file"]);
  await mkdir("empty");
  expect(await claimFolder(wish("empty"))).toBe("empty");
});

test("two claims of the same --out: one gets it, the other is told", async () => {
  const claims = await Promise.allSettled([claimFolder(wish("out/run")), claimFolder(wish("out/run"))]);
  expect(claims.map((claim) => claim.status).toSorted()).toEqual(["fulfilled", "rejected"]);
});

test("a parent that was there before stays", async () => {
  await mkdir("mine");
  await giveUpFolder(await claimFolder(wish("mine/run")), wish("mine/run"));
  expect(await readdir("mine")).toEqual([]);
});

test("what is given up leaves nothing, and nobody else's", async () => {
  const [first, second] = [await claimFolder(wish()), await claimFolder(wish())];
  await giveUpFolder(second!, wish());
  expect(await readdir("runs")).toEqual(["demo"]);
  await giveUpFolder(first!, wish());
  expect(await readdir(".")).toEqual([]);
});
