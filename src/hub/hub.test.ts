import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { getRepoFolderName, scanCacheDir } from "@huggingface/hub";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { ProgressEvent } from "../base/index.ts";
import { partialPath } from "../files/index.ts";
import { type Asked, FakeHub, FakeProxy, type FakeRepository, fakeCommit, json, refuse, serve } from "./fake-hub.test.helper.ts";
import { type DownloadOptions, downloadModel, downloadTokenizer } from "./hub.ts";
import { hubSettings } from "./hub-settings.ts";

const weights = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7919) >> 3);
const model: FakeRepository = {
  name: "owner/tiny",
  files: { "README.md": "# tiny", "config.json": "{}", "tokenizer.json": "{ }", "model.safetensors": weights, "folder/a b.txt": "x" },
  large: ["model.safetensors"],
};

let folder: string;
let waits: number[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-hub-"));
  waits = [];
});
afterEach(() => {
  vi.restoreAllMocks();
  return rm(folder, { recursive: true });
});

function options(hub: FakeHub, env: Record<string, string> = {}): DownloadOptions & { readonly warnings: string[] } {
  const warnings: string[] = [];
  return {
    env: { HF_ENDPOINT: hub.url, HF_HOME: folder, ...env },
    wait: async (milliseconds) => waits.push(milliseconds),
    onWarning: (warning) => warnings.push(warning),
    warnings,
  };
}

/** Whether a file has the first `length` bytes of the model; `toEqual` takes a second for so many. */
async function expectWeights(path: string, length = weights.length): Promise<void> {
  expect(Buffer.compare(await readFile(path), weights.subarray(0, length))).toBe(0);
}
const everything = () => true;
const ofStore = ({ host }: Asked) => host === "store";
const ofRevision = ({ path }: Asked) => path.includes("/revision/");
const cacheOf = (...parts: string[]) => join(folder, "hub", "models--owner--tiny", ...parts);
const sha256 = createHash("sha256").update(weights).digest("hex");

describe("a model", () => {
  test("is downloaded once, into the layout that Hugging Face's tools share", async () => {
    await using hub = await FakeHub.open(model);
    const events: ProgressEvent[] = [];
    const printed = [vi.spyOn(process.stdout, "write"), ...(["log", "info", "debug"] as const).map((name) => vi.spyOn(console, name))];
    const asked = { ...options(hub), onProgress: (event: ProgressEvent) => events.push(event) };
    const path = await downloadModel("hf:owner/tiny", asked);
    expect(path).toBe(cacheOf("snapshots", fakeCommit));
    expect((await readdir(path)).sort()).toEqual(["config.json", "model.safetensors", "tokenizer.json"]);
    await expectWeights(join(path, "model.safetensors"));
    expect(await readlink(join(path, "model.safetensors"))).toBe(join("..", "..", "blobs", sha256));
    expect(await readFile(cacheOf("refs", "main"), "utf8")).toBe(fakeCommit);
    expect(events.at(-1)).toMatchObject({ done: weights.length, total: weights.length, unit: "bytes", note: "model.safetensors" });
    await downloadModel("hf:owner/tiny", asked);
    expect(hub.downloads("model.safetensors").filter(({ host }) => host === "store")).toHaveLength(1);
    for (const spy of printed) expect(spy).not.toHaveBeenCalled();
    const [repo] = (await scanCacheDir(join(folder, "hub"))).repos;
    expect(repo).toMatchObject({ id: { name: "owner/tiny", type: "model" }, filesCount: 3, size: weights.length + 5 });
    expect(getRepoFolderName({ name: "owner/tiny", type: "model" })).toBe("models--owner--tiny");
  });

  test("of a file that is in the cache under another commit is not downloaded again", async () => {
    await using hub = await FakeHub.open(model);
    await downloadModel("hf:owner/tiny", options(hub));
    const commit = fakeCommit.replaceAll("0", "f");
    await using later = await FakeHub.open({ ...model, commit });
    const path = await downloadModel("hf:owner/tiny@v1.0", options(later));
    expect(path).toBe(cacheOf("snapshots", commit));
    expect(later.downloads("model.safetensors")).toHaveLength(0);
    expect(await readFile(cacheOf("refs", "v1.0"), "utf8")).toBe(commit);
    await expectWeights(join(path, "model.safetensors"));
  });

  test("is copied into its snapshot where there are no links", async () => {
    await using hub = await FakeHub.open(model);
    const path = await downloadModel("hf:owner/tiny", options(hub, { HF_HUB_DISABLE_SYMLINKS: "1" }));
    await expect(readlink(join(path, "config.json"))).rejects.toThrow("EINVAL");
    expect(await readdir(cacheOf("blobs"))).toEqual([]); // not on the disk twice
    await expectWeights(join(path, "model.safetensors"));
  });

  test("has the shards that its index names", async () => {
    const index = { weight_map: { a: "model-00001-of-00002.safetensors", b: "model-00002-of-00002.safetensors" } };
    const files = { "config.json": "{}", "model.safetensors.index.json": JSON.stringify(index), "model-00001-of-00002.safetensors": "1" };
    const whole = { ...files, "model-00002-of-00002.safetensors": "2", "other.safetensors": "3" };
    await using hub = await FakeHub.open({ name: "owner/tiny", files: whole });
    const path = await downloadModel("hf:owner/tiny", options(hub));
    expect((await readdir(path)).sort()).toEqual(Object.keys({ ...files, "model-00002-of-00002.safetensors": "" }).sort());
    await rm(join(path, "model-00002-of-00002.safetensors"));
    await expect(downloadModel("hf:owner/tiny", options(hub, { HF_HUB_OFFLINE: "1" }))).rejects.toThrow(
      "names model-00002-of-00002.safetensors",
    );
    await using less = await FakeHub.open({ name: "owner/less", files });
    await expect(downloadModel("hf:owner/less", options(less))).rejects.toThrow(
      "names model-00002-of-00002.safetensors, which is not there",
    );
  });

  test("lends its tokenizer without its weights", async () => {
    await using hub = await FakeHub.open(model);
    const path = await downloadTokenizer("hf:owner/tiny", options(hub));
    expect((await readdir(path)).sort()).toEqual(["config.json", "tokenizer.json"]);
  });
});

describe("a token", () => {
  test("goes to the hub alone, not to the host that it sends on to", async () => {
    await using hub = await FakeHub.open(model);
    await downloadModel("hf:owner/tiny", options(hub, { HF_TOKEN: "hf_secret" }));
    const sent = new Set(hub.asked.map(({ host, headers }) => `${host} ${headers.authorization}`));
    expect([...sent].sort()).toEqual(["hub Bearer hf_secret", "store undefined"]);
  });

  test("is HF_TOKEN's, else that of the file which hf auth login writes", async () => {
    await writeFile(join(folder, "token"), "hf_file\n");
    expect((await hubSettings({ HF_HOME: folder })).token).toBe("hf_file");
    expect((await hubSettings({ HF_HOME: folder, HF_TOKEN: "hf_env" })).token).toBe("hf_env");
    expect((await hubSettings({ HF_HOME: folder, HF_HUB_DISABLE_IMPLICIT_TOKEN: "1" })).token).toBeUndefined();
    expect((await hubSettings({ HF_HOME: folder, HF_TOKEN_PATH: join(folder, "none") })).token).toBeUndefined();
  });

  test.each([
    ["without one", 401, "GatedRepo", {}, "is gated: open URL/owner/tiny, sign in and accept its terms, then make a token"],
    ["with one", 403, "GatedRepo", { HF_TOKEN: "t" }, "accept its terms, then wait until its makers let you in"],
    ["that is wrong", 401, "", { HF_TOKEN: "t" }, "the token is not valid: make a token at URL/settings/tokens"],
    ["that is absent", 401, "", {}, "it is private or gated: look at URL/owner/tiny"],
    ["of another account", 403, "", { HF_TOKEN: "t" }, "the token that was sent may not read it"],
  ])("%s: %i is explained", async (_, status, code, env, message) => {
    await using hub = await FakeHub.open(model);
    hub.instead(
      ({ path }) => path.endsWith("/config.json"),
      (response) => refuse(response, status, code),
    );
    await expect(downloadModel("hf:owner/tiny", options(hub, env))).rejects.toThrow(message.replace("URL", hub.url));
    expect(waits).toEqual([]);
  });
});

test("the cache is where Python's tools have it", async () => {
  const cacheFor = async (env: Record<string, string>) => (await hubSettings(env)).cache;
  expect(await cacheFor({})).toBe(join(homedir(), ".cache", "huggingface", "hub"));
  expect(await cacheFor({ XDG_CACHE_HOME: "/x" })).toBe(join("/x", "huggingface", "hub"));
  expect(await cacheFor({ XDG_CACHE_HOME: "/x", HF_HOME: "~/hf" })).toBe(join(homedir(), "hf", "hub"));
  expect(await cacheFor({ HF_HOME: "/hf", HUGGINGFACE_HUB_CACHE: "/old" })).toBe("/old");
  expect(await cacheFor({ HF_HOME: "/hf", HUGGINGFACE_HUB_CACHE: "/old", HF_HUB_CACHE: "/new" })).toBe("/new");
  for (const value of ["1", "ON", "yes", "True"]) expect((await hubSettings({ HF_HUB_OFFLINE: value })).isOffline).toBe(true);
  for (const value of ["", "0", "off"]) expect((await hubSettings({ HF_HUB_OFFLINE: value })).isOffline).toBe(false);
  expect((await hubSettings({ HF_ENDPOINT: "https://mirror.example/hf/" })).endpoint).toBe("https://mirror.example/hf");
  await expect(hubSettings({ HF_ENDPOINT: "mirror.example" })).rejects.toThrow('HF_ENDPOINT is "mirror.example" but must be an address');
});

describe("a name that the hub lacks", () => {
  test.each([
    ["hf:owner/tini", {}, 'there is no repository owner/tini, did you mean "owner/tiny".; or it is private: then make a token at '],
    [
      "hf:owner/tini",
      { HF_TOKEN: "t" },
      'no repository owner/tini, did you mean "owner/tiny".; or it is private and HF_TOKEN is not of one',
    ],
    ["hf:ownr/tiny", {}, 'there is no repository ownr/tiny, did you mean "owner/tiny"'],
    ["hf:owner/tiny@v1.1", {}, 'no branch, tag or commit "v1.1": it has main, v1.0, did you mean "v1.0"'],
    ["hf:owner/tiny:model.safetensor", {}, 'has no file model.safetensor: it has model.safetensors, did you mean "model.safetensors"'],
  ])("%s is told with the nearest one", async (name, env, message) => {
    await using hub = await FakeHub.open(model);
    await expect(downloadModel(name, options(hub, env))).rejects.toThrow(new RegExp(message));
  });

  test.each([
    "hf:",
    "hf:name",
    "hf:a/b/c",
    "hf:../b",
    "hf:a/..",
    "hf:a--b/c",
    "hf:a/b@../c",
    "hf:a/b:../c",
    "hf:a/b:/etc/x",
    "hf:https://x/a/b",
  ])("%s is refused before anybody is asked", async (name) => {
    await using hub = await FakeHub.open(model);
    await expect(downloadModel(name, options(hub))).rejects.toThrow(/it must read hf:owner\/name|must be a branch|no path inside/);
    expect(hub.asked).toEqual([]);
  });
});

describe("the network", () => {
  test("fails for a while: 429 with Retry-After, 503, and the third try succeeds", async () => {
    await using hub = await FakeHub.open(model);
    hub.instead(
      ofRevision,
      (response) => refuse(response, 429, "", { "retry-after": "7" }),
      (response) => refuse(response, 503),
      (response) => json(response, { sha: fakeCommit }),
    );
    await downloadModel("hf:owner/tiny", options(hub));
    expect(waits).toHaveLength(2);
    expect(waits[0]).toBe(7000);
    expect(waits[1]).toBeGreaterThanOrEqual(1000);
  });

  test.each([
    [429, {}, 5, "answers 429 again and again: try later, or set HF_TOKEN, which allows more"],
    [429, { "retry-after": "900" }, 0, "try in 900 seconds, or set HF_TOKEN"],
    [502, {}, 5, "answers 502 again and again: try later"],
  ])("answers %i for ever", async (status, headers, pauses, message) => {
    await using hub = await FakeHub.open(model);
    hub.instead(everything, (response) => refuse(response, status, "", headers));
    await expect(downloadModel("hf:owner/tiny", options(hub))).rejects.toThrow(message);
    expect(waits).toHaveLength(pauses);
  });

  test("cuts the connection again and again: each try goes on where the last one ended", async () => {
    await using hub = await FakeHub.open(model);
    hub.instead(ofStore, (response, { headers }) => serve(response, weights, headers, 50_000));
    const path = await downloadModel("hf:owner/tiny", options(hub));
    await expectWeights(join(path, "model.safetensors"));
    const ranges = hub.asked.filter(({ host }) => host === "store").map(({ headers }) => headers.range);
    expect(ranges.slice(0, 3)).toEqual([undefined, "bytes=50000-", "bytes=100000-"]);
    expect(hub.asked.filter(({ headers }) => headers["if-range"] !== undefined)).not.toHaveLength(0);
  });

  test("is not there: what is in the cache is used, and said; what is not there is named", async () => {
    const hub = await FakeHub.open(model);
    const path = await downloadModel("hf:owner/tiny", options(hub));
    const gone = options(hub);
    await hub.close();
    expect(await downloadModel("hf:owner/tiny", gone)).toBe(path);
    expect(gone.warnings).toEqual([expect.stringMatching(/cannot be reached \(ECONNREFUSED\).*the files in the cache are used/)]);
    await expect(downloadModel("hf:owner/other", gone)).rejects.toThrow("cannot be reached (ECONNREFUSED): check the network, HTTPS_PROXY");
    expect(waits).toEqual([]); // nobody waits for a hub that was never there
  });

  test("goes away in the middle: that is waited for", async () => {
    await using hub = await FakeHub.open(model);
    hub.instead(ofStore, (response) => response.writeHead(200, { "content-length": weights.length }).write(weights.subarray(0, 9)));
    const onProgress = ({ done, note }: ProgressEvent) => {
      if (note === "model.safetensors" && done === 9) void hub.close();
    };
    const gone = { ...options(hub), onProgress };
    await expect(downloadModel("hf:owner/tiny", gone)).rejects.toThrow(/cannot be reached \((ECONNREFUSED|UND_ERR_SOCKET)\)/);
    expect(waits).toHaveLength(5);
    await expectWeights(cacheOf("blobs", `${sha256}.partial`), 9);
  });

  test("is not asked offline", async () => {
    await using hub = await FakeHub.open(model);
    const offline = options(hub, { HF_HUB_OFFLINE: "1" });
    await expect(downloadModel("hf:owner/tiny", offline)).rejects.toThrow("HF_HUB_OFFLINE is set, and the cache has nothing of it");
    const path = await downloadModel("hf:owner/tiny", options(hub));
    const { length } = hub.asked;
    expect(await downloadModel("hf:owner/tiny", offline)).toBe(path);
    expect(await downloadModel(`hf:owner/tiny@${fakeCommit}`, offline)).toBe(path);
    await rm(join(path, "model.safetensors"));
    await expect(downloadModel("hf:owner/tiny", offline)).rejects.toThrow("the cache has not all of it: unset it to download");
    expect(hub.asked).toHaveLength(length);
  });

  test("answers as no hub does", async () => {
    await using hub = await FakeHub.open(model);
    hub.instead(everything, (response) => response.end("<html>log in</html>"));
    await expect(downloadModel("hf:owner/tiny", options(hub))).rejects.toThrow("does not answer as a hub does");
    hub.instead(ofRevision, (response) => json(response, { sha: "../../x" }));
    await expect(downloadModel("hf:owner/tiny", options(hub))).rejects.toThrow('its commit is "../../x", which is none');
    hub.instead(everything, (response) => response.writeHead(302, { location: "ftp://x" }).end());
    await expect(downloadModel("hf:owner/tiny", options(hub))).rejects.toThrow("which is not encrypted: it is refused");
    hub.instead(everything, (response, { path }) => response.writeHead(307, { location: path }).end());
    await expect(downloadModel("hf:owner/tiny", options(hub))).rejects.toThrow("sends on more than 10 times");
  });

  test("lists files outside of the repository's folder: they are no files of the model", async () => {
    await using hub = await FakeHub.open({ ...model, files: { ...model.files, "../../evil": "x", "/etc/evil": "y" } });
    await downloadModel("hf:owner/tiny", options(hub));
    expect(hub.asked.filter(({ path }) => path.includes("evil"))).toEqual([]);
  });
});

describe("a proxy", () => {
  test.each(["HTTP_PROXY", "http_proxy", "ALL_PROXY"])("is asked by %s, unless NO_PROXY says otherwise", async (name) => {
    await using hub = await FakeHub.open(model);
    await using proxy = await FakeProxy.open();
    await downloadModel("hf:owner/tiny", options(hub, { [name]: proxy.url, NO_PROXY: "127.0.0.1" }));
    expect(proxy.asked).toEqual([]);
    const direct = hub.asked.length;
    await downloadModel("hf:owner/tiny", options(hub, { [name]: proxy.url, NO_PROXY: "localhost" }));
    expect(hub.asked.length).toBeGreaterThan(direct);
    expect(new Set(proxy.asked)).toEqual(new Set([new URL(hub.url).host]));
  });

  test("that is not there is named", async () => {
    await using hub = await FakeHub.open(model);
    const proxied = options(hub, { HTTP_PROXY: "http://127.0.0.1:1" });
    await expect(downloadModel("hf:owner/tiny", proxied)).rejects.toThrow(
      "cannot be reached (ECONNREFUSED): check the network, HTTPS_PROXY",
    );
    expect(hub.asked).toEqual([]);
  });

  test("of an unknown kind is refused without quoting its password", async () => {
    await expect(hubSettings({ HTTPS_PROXY: "ftp://me:secret@host" })).rejects.toThrow(/^\[hub\] HTTPS_PROXY is no address(?!.*secret)/);
  });
});

describe("bytes", () => {
  const wrong = weights.map((byte) => byte ^ 1);

  test("that are not those that the hub lists are refused, and nothing of them is kept", async () => {
    await using hub = await FakeHub.open(model);
    hub.instead(ofStore, (response, { headers }) => serve(response, wrong, headers));
    await expect(downloadModel("hf:owner/tiny", options(hub))).rejects.toThrow(
      /model.safetensors arrived with the hash [0-9a-f]{64} but the hub lists/,
    );
    expect((await readdir(cacheOf("blobs"))).filter((name) => name.startsWith(sha256))).toEqual([]);
    hub.instead();
    await downloadModel("hf:owner/tiny", options(hub));
  });

  test.each([
    ["more", [...weights, 1], "has more bytes than the 300000 that the hub lists"],
    ["fewer", weights.subarray(0, 1000), /bytes from 1000 of the 300000.*came|connection ends after 1000 of 300000/],
  ])("%s than listed are refused", async (_, bytes, message) => {
    await using hub = await FakeHub.open(model);
    hub.instead(ofStore, (response, { headers }) => serve(response, Uint8Array.from(bytes), headers));
    await expect(downloadModel("hf:owner/tiny", options(hub))).rejects.toThrow(message);
  });

  test("of a small file are checked by Git's hash", async () => {
    await using hub = await FakeHub.open(model);
    hub.instead(
      ({ path }) => path.endsWith(`/resolve/${fakeCommit}/config.json`),
      (response) => response.end("[]"),
    );
    await expect(downloadModel("hf:owner/tiny", options(hub))).rejects.toThrow(/config.json arrived with the hash [0-9a-f]{40} /);
  });

  test.each([
    ["stopped", `${sha256}.partial`],
    ["killed", `${sha256}.999999999-1-${partialPath("x").split("-").at(-2)}-0.partial`],
  ])("of a %s download are gone on from", async (_, name) => {
    await using hub = await FakeHub.open(model);
    await mkdir(cacheOf("blobs"), { recursive: true });
    await writeFile(cacheOf("blobs", name), weights.subarray(0, 123_456));
    const path = await downloadModel("hf:owner/tiny", options(hub));
    expect(hub.downloads("model.safetensors").map(({ headers }) => headers.range)).toEqual(["bytes=123456-", "bytes=123456-"]);
    await expectWeights(join(path, "model.safetensors"));
    expect((await readdir(cacheOf("blobs"))).filter((file) => file.includes("partial"))).toEqual([]);
  });

  test.each([
    ["damaged", wrong.subarray(0, 5000)],
    ["too long", new Uint8Array(300_001)],
  ])("that are left %s are fetched again, all of them", async (_, left) => {
    await using hub = await FakeHub.open(model);
    await mkdir(cacheOf("blobs"), { recursive: true });
    await writeFile(cacheOf("blobs", `${sha256}.partial`), left);
    const path = await downloadModel("hf:owner/tiny", options(hub));
    await expectWeights(join(path, "model.safetensors"));
  });

  test("stay when a signal stops the download", async () => {
    await using hub = await FakeHub.open(model);
    const stop = new AbortController();
    hub.instead(
      ({ host, headers }) => host === "store" && headers.range === undefined,
      (response) => response.writeHead(200, { "content-length": weights.length }).write(weights.subarray(0, 70_000)),
    );
    const onProgress = ({ done }: ProgressEvent) => {
      if (done >= 70_000) stop.abort(new Error("enough"));
    };
    await expect(downloadModel("hf:owner/tiny", { ...options(hub), onProgress, signal: stop.signal })).rejects.toThrow("enough");
    await expectWeights(cacheOf("blobs", `${sha256}.partial`), 70_000);
    await downloadModel("hf:owner/tiny", options(hub));
    expect(hub.downloads("model.safetensors").at(-1)?.headers.range).toBe("bytes=70000-");
  });

  test("that the disk has no room for are not asked for", async () => {
    await using hub = await FakeHub.open(model);
    const oid = createHash("sha1").update("blob 2\0{}").digest("hex");
    const lfs = { oid: sha256, size: 1e15, pointerSize: 1 };
    const entry = (file: string) => ({ type: "file", path: file, size: 2, oid, ...(file !== "config.json" && { lfs }) });
    hub.instead(
      ({ path }) => path.includes("/tree/"),
      (response) => json(response, ["config.json", "model.safetensors"].map(entry)),
    );
    await expect(downloadModel("hf:owner/tiny", options(hub))).rejects.toThrow(
      /1\.00e\+6 GB are to be downloaded, but the disk of .* free/,
    );
    expect(hub.downloads("model.safetensors")).toEqual([]);
  });

  test("of one file that many ask for at the same time come once", async () => {
    await using hub = await FakeHub.open(model);
    const paths = await Promise.all(Array.from({ length: 5 }, () => downloadModel("hf:owner/tiny", options(hub))));
    for (const path of paths) await expectWeights(join(path, "model.safetensors"));
    expect(hub.asked.filter(({ host }) => host === "store")).toHaveLength(1);
    expect((await readdir(cacheOf("blobs"))).filter((file) => file.includes("partial"))).toEqual([]);
  });
});

test("a link to bytes that are gone is made anew", async () => {
  await using hub = await FakeHub.open(model);
  await mkdir(cacheOf("snapshots", fakeCommit), { recursive: true });
  await symlink("../../blobs/gone", cacheOf("snapshots", fakeCommit, "config.json"));
  expect(await readFile(join(await downloadModel("hf:owner/tiny", options(hub)), "config.json"), "utf8")).toBe("{}");
});
