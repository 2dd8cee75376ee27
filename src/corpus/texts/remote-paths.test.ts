// Data sets of a hub and files at addresses, read from a server on the loopback interface and again without it.

import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FakeHub, serve } from "../../hub/fake-hub.test.helper.ts";
import type { TextOptions } from "./forms.ts";
import { openTexts } from "./texts.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cria-remote-"));
  vi.stubEnv("HF_HOME", folder);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

async function read(path: string, options: TextOptions = {}): Promise<string[]> {
  await using texts = await openTexts([path], options);
  const found: string[] = [];
  for await (const text of texts.documents()) found.push(text);
  return found;
}

const lines = (...texts: string[]) => texts.map((text) => `${JSON.stringify({ text })}\n`).join("");
const set = {
  name: "owner/pages",
  files: {
    "README.md": "# pages",
    "dataset_infos.json": "{}",
    "data/train-00000.jsonl.gz": gzipSync(lines("one", "two")),
    "data/train-00001.jsonl": lines("three"),
    "data/test-00000.jsonl": lines("held out"),
    "raw/all.txt": "raw",
  },
  large: ["data/train-00001.jsonl"],
};

test("a data set's files for training, or those of a pattern; without the hub what is in the cache", async () => {
  const hub = await FakeHub.open(set);
  vi.stubEnv("HF_ENDPOINT", hub.url);
  expect(await read("hf:datasets/owner/pages")).toEqual(["one", "two", "three"]);
  await using opened = await openTexts(["hf:datasets/owner/pages"]);
  expect(opened.notes).toEqual(["hf:datasets/owner/pages: 2 of its 6 files are read: data/train-00000.jsonl.gz, data/train-00001.jsonl"]);
  expect(await read("hf:datasets/owner/pages:data/test-*.jsonl")).toEqual(["held out"]);
  expect(await read("hf:datasets/owner/pages@main:raw")).toEqual(["raw"]);
  await expect(read("hf:datasets/owner/pages:data/*.parquet")).rejects.toThrow(
    /none of its files matches: it has README\.md, .* and 1 more; name some by a pattern, as in hf:datasets\/owner\/pages:data\/\*\.parquet/,
  );
  await expect(read("hf:datasets/owner/pags")).rejects.toThrow(/there is no repository owner\/pags, did you mean "owner\/pages"/);
  await expect(read("hf:owner/pages")).rejects.toThrow(/names a model, but texts are in data sets: hf:datasets\/owner\/pages/);
  expect(hub.downloads("train-00001.jsonl").length).toBe(2); // The hub sends on to where large files lie.
  await hub.close();
  vi.stubEnv("HF_HUB_OFFLINE", "1");
  expect(await read("hf:datasets/owner/pages:data/train-*")).toEqual(["one", "two", "three"]);
});

test("an address is fetched once, by its ending or its content, and a connection that breaks is taken up", async () => {
  const bytes = gzipSync(lines("a", "b".repeat(100_000)));
  let asked = 0;
  const server = createServer(({ url = "", headers }, response) => {
    if (url.startsWith("/none")) return void response.writeHead(404).end();
    serve(response, bytes, headers, asked++ === 0 ? 50 : bytes.length);
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const wanted = ["a", "b".repeat(100_000)];
    expect(await read(`${base}/x/lines.jsonl.gz?download=true`)).toEqual(wanted);
    expect(asked).toBe(2);
    expect(await read(`${base}/x/lines.jsonl.gz?download=true`)).toEqual(wanted);
    expect(asked).toBe(2);
    expect(await read(`${base}/lines`)).toEqual(wanted);
    await expect(read(`${base}/none.txt`)).rejects.toThrow(/none\.txt: 127\.0\.0\.1:\d+ answers 404: check the address/);
    vi.stubEnv("HF_HUB_OFFLINE", "1");
    await expect(read(`${base}/other.txt`)).rejects.toThrow(/HF_HUB_OFFLINE is set, and the cache has nothing of it/);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
