// Public inputs against a host on this machine: what is listed, ranges, broken connections, checksums, and no network.
import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { withFolder } from "../files/with-folder.test.helper.ts";
import { FakeHost } from "./fake-host.test.helper.ts";
import { serve } from "./fake-hub.test.helper.ts";
import { PublicHost, type PublicOptions } from "./get-public.ts";
import { notToBeHad, type PublicChoice, publicInputs } from "./public-inputs.ts";

const bytes = Uint8Array.from({ length: 200_000 }, (_, i) => (i * 7919) >> 5);
const sha1 = (content: Uint8Array) => createHash("sha1").update(content).digest("hex");
const wet = (i: number) => `crawl-data/CC-MAIN-2022-05/segments/1.${i}/wet/CC-${i}.warc.wet.gz`;
const dump = "simplewiki-20220101-pages-articles.xml.bz2";
const status = (size: number, hash: string) =>
  JSON.stringify({
    jobs: { articlesdump: { status: "done", files: { [dump]: { size, url: `/simplewiki/20220101/${dump}`, md5: "x", sha1: hash } } } },
  });
const archives = ["a.stackexchange.com.7z", "b.stackexchange.com.7z", "meta.stackexchange.com.7z", "a.meta.stackexchange.com.7z"];
const catalog =
  'Text#,Type,Issued,Title,Language,Authors\n20,Text,1991,"A ""long""\ntitle, with marks",en,X\n3,Text,1990,B,en; fr,Y\n5,Sound,1990,C,en,Z\n9,Text,1990,D,fr,Z\n';
const files = {
  "crawl-data/CC-MAIN-2022-05/wet.paths.gz": gzipSync(Array.from({ length: 5 }, (_, i) => `${wet(i)}\n`).join("")),
  ...Object.fromEntries(Array.from({ length: 5 }, (_, i) => [wet(i), bytes.subarray(i)])),
  "simplewiki/20220101/dumpstatus.json": status(bytes.length, sha1(bytes)),
  [`simplewiki/20220101/${dump}`]: bytes,
  "cache/epub/feeds/pg_catalog.csv.gz": gzipSync(catalog),
  "cache/epub/3/pg3.txt": "A llama.",
  "cache/epub/20/pg20.txt": "Two llamas.",
  "metadata/stackexchange": JSON.stringify({
    files: [...archives, "stackoverflow.com-Posts.7z", "stackoverflow.com-Votes.7z", "../x.7z", "readme.txt"].map((name, i) => ({
      name,
      size: String(100 + i),
      sha1: "ab",
    })),
  }),
};

const inputOf = (name: string) => publicInputs.find((input) => input.name === name)!;
const withHost = (name: string, mirror: string, more: PublicOptions = {}) =>
  PublicHost.open(inputOf(name), { mirror, env: {}, wait: async () => undefined, ...more });
const crawl = (first: number, last: number): PublicChoice => ({ dump: "CC-MAIN-2022-05", shards: { first, last } });
const simple: PublicChoice = { language: "simple", date: "20220101" };

test("files of a crawl are listed by their numbers with their sizes, fetched once, and left alone then", async () => {
  await using server = await FakeHost.open(files);
  await using host = await withHost("common-crawl", `${server.url}/`);
  await withFolder(async (folder) => {
    const listed = await host.list(crawl(1, 3));
    expect(listed).toEqual(
      [1, 2, 3].map((i) => ({ address: wet(i), name: `CC-${i}.warc.wet.gz`, bytes: bytes.length - i, sha1: undefined })),
    );
    expect(host.addressOf(listed[0]!)).toBe(`${server.url}/${wet(1)}`);
    expect(server.asked).toEqual(["GET crawl-data/CC-MAIN-2022-05/wet.paths.gz", ...[1, 2, 3].map((i) => `HEAD ${wet(i)}`)]);
    for (const file of listed) expect(await host.get(file, folder)).toBe(true);
    for (const file of listed) expect(await host.get(file, folder)).toBe(false);
    expect((await readdir(folder)).sort()).toEqual([1, 2, 3].map((i) => `CC-${i}.warc.wet.gz`));
    expect(Buffer.compare(await readFile(join(folder, "CC-2.warc.wet.gz")), bytes.subarray(2))).toBe(0);
    expect(server.asked.filter((line) => line === `GET ${wet(2)}`)).toHaveLength(1);
  });
});

test("a connection that breaks off is taken up where it ended, in this call and in the next", async () => {
  await using server = await FakeHost.open(files);
  let cuts = 2;
  server.instead = ({ method, url, headers }, response) => {
    if (method !== "GET" || !url?.endsWith("CC-0.warc.wet.gz") || cuts-- <= 0) return false;
    serve(response, bytes, headers, 50_000);
    return true;
  };
  await withFolder(async (folder) => {
    await using host = await withHost("common-crawl", server.url);
    const [file] = await host.list(crawl(0, 0));
    await host.get(file!, folder);
    expect(server.asked.slice(2)).toEqual([`GET ${wet(0)}`, `GET ${wet(0)} bytes=50000-`, `GET ${wet(0)} bytes=100000-`]);
    expect(Buffer.compare(await readFile(join(folder, file!.name)), bytes)).toBe(0);
  });
  await withFolder(async (folder) => {
    const stop = new AbortController();
    const onProgress = ({ done }: { readonly done: number }) => done > 0 && stop.abort(new Error("stopped"));
    await using host = await withHost("common-crawl", server.url, { signal: stop.signal, onProgress });
    const [file] = await host.list(crawl(4, 4));
    await expect(host.get(file!, folder)).rejects.toThrow("stopped");
    expect(await readdir(folder)).toEqual(["CC-4.warc.wet.gz.partial"]);
    await using again = await withHost("common-crawl", server.url);
    await again.get(file!, folder);
    expect(server.asked.at(-1)).toMatch(/CC-4\.warc\.wet\.gz bytes=[1-9]\d*-$/);
    expect(Buffer.compare(await readFile(join(folder, file!.name)), bytes.subarray(4))).toBe(0);
  });
});

test("a dump of Wikipedia has the checksum that its host publishes, or is refused", async () => {
  await using server = await FakeHost.open(files);
  await withFolder(async (folder) => {
    await using host = await withHost("wikipedia", server.url);
    const [file] = await host.list(simple);
    expect(file).toEqual({ address: `simplewiki/20220101/${dump}`, name: dump, bytes: bytes.length, sha1: sha1(bytes) });
    // What an earlier try has left may be damaged: then all of it is fetched again.
    await writeFile(join(folder, `${dump}.partial`), new Uint8Array(1000));
    await host.get(file!, folder);
    expect(Buffer.compare(await readFile(join(folder, dump)), bytes)).toBe(0);
    expect(server.asked.slice(-2)).toEqual([`GET simplewiki/20220101/${dump} bytes=1000-`, `GET simplewiki/20220101/${dump}`]);
  });
  await using damaged = await FakeHost.open({ ...files, [`simplewiki/20220101/${dump}`]: bytes.toReversed() });
  await withFolder(async (folder) => {
    await using host = await withHost("wikipedia", damaged.url);
    const [file] = await host.list(simple);
    const named = new RegExp(`${dump} arrived with the hash [0-9a-f]{40} but 127\\.0\\.0\\.1:\\d+ lists ${sha1(bytes)}`);
    await expect(host.get(file!, folder)).rejects.toThrow(named);
    expect(await readdir(folder)).toEqual([]);
    await writeFile(join(folder, dump), "other");
    await expect(host.get(file!, folder)).rejects.toThrow(/has 5 bytes but its host has 200000: remove it/);
  });
});

test("books and sites are chosen from the lists of their hosts", async () => {
  await using server = await FakeHost.open(files);
  await using books = await withHost("gutenberg", server.url);
  const listed = await books.list({ language: "en", shards: { first: 0, last: 1 } });
  expect(listed.map(({ address, bytes }) => [address, bytes])).toEqual([
    ["cache/epub/3/pg3.txt", 8],
    ["cache/epub/20/pg20.txt", 11],
  ]);
  await using sites = await withHost("stack-exchange", server.url);
  const largest = await sites.list({ shards: { first: 0, last: 2 } });
  expect(largest.map(({ name, bytes }) => [name, bytes])).toEqual([
    ["stackoverflow.com-Posts.7z", 104],
    ["b.stackexchange.com.7z", 101],
    ["a.stackexchange.com.7z", 100],
  ]);
  await expect(sites.list({})).rejects.toThrow("shards are 0 to 27, but the list has 3 files");
});

test.each<[string, PublicChoice, RegExp]>([
  ["common-crawl", { ...crawl(0, 9) }, /shards are 0 to 9, but the list has 5 files/],
  ["common-crawl", { ...crawl(0, 1), dump: "CC-MAIN-2021-04" }, /common-crawl: 127\.0\.0\.1:\d+ answers 404/],
  ["common-crawl", { ...crawl(0, 1), dump: "../x" }, /dump is "\.\.\/x" but must be the name of a crawl/],
  ["wikipedia", { ...simple, date: "20220102" }, /answers 404/],
  ["wikipedia", { ...simple, date: "latest" }, /date is "latest" but must be/],
  ["wikipedia", { ...simple, language: "s/x" }, /language is "s\/x"/],
])("what %s has not is named: %j", async (name, choice, message) => {
  await using server = await FakeHost.open(files);
  await using host = await withHost(name, server.url);
  await expect(host.list(choice)).rejects.toThrow(message);
});

test("lists that are none are refused", async () => {
  for (const content of ["<html>", "[]", "{}", JSON.stringify({ jobs: { articlesdump: { files: { [dump]: { size: 1 } } } } })]) {
    await using server = await FakeHost.open({ "simplewiki/20220101/dumpstatus.json": content, "metadata/stackexchange": content });
    await using wiki = await withHost("wikipedia", server.url);
    await expect(wiki.list(simple)).rejects.toThrow(/dumpstatus\.json/);
    await using sites = await withHost("stack-exchange", server.url);
    await expect(sites.list({})).rejects.toThrow(/metadata\/stackexchange|the list has 0 files/);
  }
  await using server = await FakeHost.open({ "crawl-data/CC-MAIN-2022-05/wet.paths.gz": gzipSync("crawl-data/a/..\n") });
  await using host = await withHost("common-crawl", server.url);
  await expect(host.list(crawl(0, 0))).rejects.toThrow('the list names "crawl-data/a/..", which is no file\'s name');
});

test.each(["\u001f\u008bno gzip", 'Text#,"open\n1'])("a list that cannot be unpacked is refused: %j", async (content) => {
  await using server = await FakeHost.open({ "cache/epub/feeds/pg_catalog.csv.gz": Buffer.from(content, "latin1") });
  await using host = await withHost("gutenberg", server.url);
  await expect(host.list({ language: "en", shards: { first: 0, last: 0 } })).rejects.toThrow(
    /pg_catalog\.csv\.gz: it is no list as its host writes it/,
  );
});

test("without a network it is said, and what is fetched is not looked for in a cache", async () => {
  const server = await FakeHost.open(files);
  const { url } = server;
  await server[Symbol.asyncDispose]();
  await using host = await withHost("wikipedia", url);
  await expect(host.list(simple)).rejects.toThrow(/wikipedia: 127\.0\.0\.1:\d+ cannot be reached \(ECONNREFUSED\)/);
  await expect(withHost("wikipedia", url, { env: { HF_HUB_OFFLINE: "1" } })).rejects.toThrow("HF_HUB_OFFLINE is set");
  await expect(withHost("wikipedia", "dumps")).rejects.toThrow('mirror is "dumps" but must be an address');
});

test("every input says where its addresses are documented, and what is not to be had, what to do", () => {
  for (const { name, source, host, needs } of publicInputs) {
    expect(source, name).toMatch(/^https:/);
    expect(host, name).toMatch(/^https:\/\/[\w.]+$/);
    expect(needs, name).toBeInstanceOf(Array);
  }
  expect(Object.keys(notToBeHad)).toEqual(["arxiv", "books3", "c4", "github"]);
});
