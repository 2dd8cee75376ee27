// Processes that download one file at the same time and are killed at any moment; and answers of a hub with bytes changed at random.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CriaError, Rng } from "../base/index.ts";
import { FakeHub, type FakeRepository, fakeCommit, serve } from "./fake-hub.test.helper.ts";
import { downloadModel } from "./hub.ts";

const weights = Uint8Array.from({ length: 3_000_000 }, (_, i) => (i * 7919) >> 5);
const repository: FakeRepository = {
  name: "owner/tiny",
  files: { "config.json": "{}", "model.safetensors": weights },
  large: ["model.safetensors"],
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-hub-long-"));
});
afterAll(() => rm(folder, { recursive: true }));

test("processes that are killed at any moment leave nothing wrong, and what they fetched is not fetched again", async () => {
  await using hub = await FakeHub.open(repository);
  const from: number[] = [];
  hub.instead(
    ({ host }) => host === "store",
    (response, { headers }) => {
      from.push(Number(/=(\d+)-/.exec(headers.range ?? "bytes=0-")?.[1]));
      serve(response, weights, headers, 200_000); // breaks off again and again, which takes time
    },
  );
  const code = `import { downloadModel } from ${JSON.stringify(new URL("./hub.js", import.meta.url).href)};
    const wait = () => new Promise((done) => setTimeout(done, 20));
    await downloadModel("hf:owner/tiny", { wait });`;
  const seed = Date.now() >>> 0;
  console.log(`killed downloads: seed ${seed}`);
  const rng = new Rng(seed);
  for (let round = 0; round < 6; round++) {
    const HF_HOME = join(folder, `${round}`);
    from.length = 0;
    const start = () =>
      spawn(process.execPath, ["--input-type=module", "-e", code], { env: { ...process.env, HF_HOME, HF_ENDPOINT: hub.url } });
    const killed = Array.from({ length: 4 }, () => {
      const child = start();
      setTimeout(() => child.kill("SIGKILL"), 300 + rng.below(1500));
      return once(child, "exit");
    });
    const kept = Array.from({ length: 2 }, async () => expect((await once(start(), "exit"))[0]).toBe(0));
    await Promise.all([...killed, ...kept]);
    const cache = join(HF_HOME, "hub", "models--owner--tiny");
    const found = await readFile(join(cache, "snapshots", fakeCommit, "model.safetensors"));
    expect(createHash("sha256").update(found).digest("hex")).toBe(createHash("sha256").update(weights).digest("hex"));
    expect((await readdir(join(cache, "blobs"))).filter((name) => name.includes("partial"))).toEqual([]);
    expect(from.toSorted((a, b) => a - b)).toEqual(from); // every download goes on where the one before ended
  }
}, 120_000);

test("an answer with bytes changed at random is a clear error or a model, and no file outside of the cache", async () => {
  const seed = Date.now() >>> 0;
  console.log(`answers of a hub: seed ${seed}`);
  const rng = new Rng(seed);
  await using hub = await FakeHub.open(repository);
  const answers = new Map<string, string>();
  for (const path of ["revision/main", `tree/${fakeCommit}`]) {
    const answer = await fetch(`${hub.url}/api/models/owner/tiny/${path}`);
    answers.set(path, await answer.text());
  }
  const changed = (text: string) => {
    const bytes = Buffer.from(text);
    for (let i = 1 + rng.below(3); i > 0; i--) bytes[rng.below(bytes.length)] = rng.below(256);
    return rng.below(10) === 0 ? bytes.subarray(0, rng.below(bytes.length)) : bytes;
  };
  let opened = 0;
  for (let round = 0; round < 1000; round++) {
    hub.instead(
      ({ path }) => path.startsWith("/api/models/owner/"),
      (response, { path }) => response.end(changed(answers.get(path.replace(/^.*owner\/tiny\//, "")) ?? "[]")),
    );
    const HF_HOME = join(folder, "fuzz", `${round}`);
    const env = { HF_ENDPOINT: hub.url, HF_HOME };
    const path = await downloadModel("hf:owner/tiny", { env, wait: async () => undefined }).catch((error: unknown) => {
      expect(error, `seed ${seed}, round ${round}`).toBeInstanceOf(CriaError);
      return undefined;
    });
    if (path !== undefined) opened++;
    if (path !== undefined) expect(path.startsWith(join(HF_HOME, "hub"))).toBe(true);
    await rm(HF_HOME, { recursive: true, force: true });
  }
  expect(opened).toBeGreaterThan(0);
}, 120_000);
