import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { StoredTensor } from "../train/index.ts";
import { tinyRecipe } from "../train/tiny-run.test.helper.ts";
import { type CheckpointState, latestCheckpoint, loadNewest, loadTensors, saveCheckpoint } from "./checkpoint.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-checkpoint-"));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const recipe = tinyRecipe();
const state = (step: number): CheckpointState => ({ step, tokens: 64 * step, data: { drawn: step }, recipe });

/** A parameter and its moments, in memory. */
function tensors(value: number, size = 6): (StoredTensor & { values: Float32Array })[] {
  const rows: [StoredTensor["part"], string][] = [
    ["model", "w"],
    ["optimizer", "w.m"],
    ["optimizer", "w.v"],
  ];
  return rows.map(([part, name], i) => {
    const values = new Float32Array(size).fill(value + i);
    const write = async (read: Float32Array) => values.set(read);
    return { part, name, shape: [size / 2, 2], values, read: async () => values, write };
  });
}

test("what is saved is loaded; of many the newest are kept", async () => {
  expect(await latestCheckpoint(join(folder, "absent"))).toBeUndefined();
  for (const step of [5, 10, 999_999, 1_000_000]) await saveCheckpoint(folder, state(step), tensors(step), 3);
  expect((await readdir(folder)).sort()).toEqual(["step-000010", "step-1000000", "step-999999"]);
  const latest = (await latestCheckpoint(folder))!;
  expect(latest.state).toEqual(state(1_000_000));
  const into = tensors(0);
  await loadTensors(latest, into);
  expect(into.map(({ values }) => values[5])).toEqual([1_000_000, 1_000_001, 1_000_002]);
});

test("what a killed save left is no checkpoint, and goes with the next one", async () => {
  await saveCheckpoint(folder, state(1), tensors(1), 2);
  await mkdir(join(folder, "step-000002.123.partial"));
  await writeFile(join(folder, "step-000002.123.partial", "state.json"), "{}");
  expect((await latestCheckpoint(folder))!.state.step).toBe(1);
  await saveCheckpoint(folder, state(2), tensors(2), 2);
  expect((await readdir(folder)).sort()).toEqual(["step-000001", "step-000002"]);
});

test("a save that fails leaves nothing, and the checkpoint before is intact", async () => {
  await saveCheckpoint(folder, state(1), tensors(1), 2);
  const failing = tensors(2);
  const full = () => Promise.reject(Object.assign(new Error("write"), { code: "ENOSPC" }));
  failing[2] = { ...failing[2]!, read: full };
  await expect(saveCheckpoint(folder, state(2), failing, 2)).rejects.toThrow(
    /^\[checkpoint\] .*step-000002: the disk is full: free some space/,
  );
  expect(await readdir(folder)).toEqual(["step-000001"]);
  await loadTensors((await latestCheckpoint(folder))!, tensors(0));
});

test("a disk that fills while saving: on a small tmpfs", async (context) => {
  const disk = join(folder, "disk");
  await mkdir(disk);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", disk], { stdio: "ignore" });
  } catch {
    return context.skip("mounting a tmpfs is not permitted here");
  }
  try {
    await saveCheckpoint(disk, state(1), tensors(1, 8000), 2); // 96 kB
    await expect(saveCheckpoint(disk, state(2), tensors(2, 16000), 2)).rejects.toThrow(
      /^\[checkpoint\] .*step-000002: the disk is full: free some space and run again; what was there before is intact$/,
    );
    expect(await readdir(disk)).toEqual(["step-000001"]);
    const into = tensors(0, 8000);
    await loadTensors((await latestCheckpoint(disk))!, into);
    expect(into[2]!.values[7999]).toBe(3);
  } finally {
    execFileSync("umount", [disk]);
  }
});

async function flipBit(path: string, at = 0.6): Promise<void> {
  const bytes = await readFile(path);
  bytes[Math.floor(at * bytes.length)]! ^= 16;
  await writeFile(path, bytes);
}

const damages: readonly [what: string, (path: string) => Promise<unknown>, RegExp][] = [
  [
    "cut short",
    (path) => truncate(join(path, "optimizer.safetensors"), 100),
    /optimizer\.safetensors: it has 100 bytes but had \d+ when it was saved: it is damaged/,
  ],
  ["without its weights", (path) => rm(join(path, "model.safetensors")), /model\.safetensors: no such file/],
  ["without its state", (path) => rm(join(path, "state.json")), /state\.json: no such file/],
  [
    "without its checksums",
    (path) => rm(join(path, "SHA256SUMS")),
    /SHA256SUMS: there is no such file, but there was one when it was saved/,
  ],
  ["with half a state", (path) => truncate(join(path, "state.json"), 50), /state\.json: it has SHA-256 [0-9a-f]{64} but had [0-9a-f]{64}/],
  ["with a bit flipped in its state", (path) => flipBit(join(path, "state.json")), /state\.json: it has SHA-256/],
  [
    "with half its checksums",
    (path) => truncate(join(path, "SHA256SUMS"), 100),
    /SHA256SUMS: it has checksums of model\.safetensors, not of/,
  ],
  ["with a bit flipped in its checksums", (path) => flipBit(join(path, "SHA256SUMS")), /SHA-256|SHA256SUMS: it has checksums of/],
  [
    "with a folder for a file",
    (path) => rm(join(path, "SHA256SUMS")).then(() => mkdir(join(path, "SHA256SUMS"))),
    /SHA256SUMS: it is a folder/,
  ],
  ["with a bit flipped in its weights", (path) => flipBit(join(path, "model.safetensors"), 0.99), /model\.safetensors: it has SHA-256/],
  [
    "with a bit flipped in its moments",
    (path) => flipBit(join(path, "optimizer.safetensors"), 0.99),
    /optimizer\.safetensors: it has SHA-256/,
  ],
  ["with a bit flipped in a header", (path) => flipBit(join(path, "model.safetensors"), 0.1), /model\.safetensors: it has SHA-256/],
];

test.each(damages)("a checkpoint %s is passed over for the one before it, and named", async (_, damage, message) => {
  for (const step of [3, 4]) await saveCheckpoint(folder, state(step), tensors(step), 2);
  await damage(join(folder, "step-000004"));
  const into = tensors(0);
  const loaded = await loadNewest((await latestCheckpoint(folder))!, into);
  expect(loaded.state).toEqual(state(3));
  expect(into.map(({ values }) => values[5])).toEqual([3, 4, 5]);
  expect(loaded.damaged.map(({ folder: path }) => path)).toEqual([join(folder, "step-000004")]);
  expect(loaded.damaged[0]!.message).toMatch(message);
});

test.each(damages)("when the only checkpoint is one %s, that is said", async (_, damage, message) => {
  const path = await saveCheckpoint(folder, state(3), tensors(3), 2);
  await damage(path);
  const load = async () => loadNewest((await latestCheckpoint(folder))!, tensors(0));
  await expect(load()).rejects.toThrow(message);
  await expect(load()).rejects.toThrow(/: it is damaged, and the only checkpoint cannot be used: begin a new run$/);
});

test("a checkpoint of a later version is not taken for damaged", async () => {
  for (const step of [3, 4]) await saveCheckpoint(folder, state(step), tensors(step), 2);
  const path = join(folder, "step-000004");
  const [text, sums] = await Promise.all(["state.json", "SHA256SUMS"].map((name) => readFile(join(path, name), "utf8")));
  const newer = text!.replace('"version": 2', '"version": 3');
  const sum = (content: string) => createHash("sha256").update(content).digest("hex");
  await writeFile(join(path, "state.json"), newer);
  await writeFile(join(path, "SHA256SUMS"), sums!.replace(sum(text!), sum(newer)));
  await expect(latestCheckpoint(folder)).rejects.toThrow(
    /step-000004.state\.json: its version is 3 but this cria reads 2 and older: go on with the cria that made it, or a newer one$/,
  );
});

test("when several are damaged in several ways, none is used", async () => {
  for (const step of [3, 4, 5]) await saveCheckpoint(folder, state(step), tensors(step), 3);
  await flipBit(join(folder, "step-000003", "model.safetensors"), 0.99);
  await rm(join(folder, "step-000004", "state.json"));
  await flipBit(join(folder, "step-000005", "optimizer.safetensors"), 0.99);
  await expect(loadNewest((await latestCheckpoint(folder))!, tensors(0))).rejects.toThrow(
    /step-000005.*: it is damaged, and none of 3 checkpoints can be used, the newest: begin a new run/,
  );
});

const oldDamages: readonly [what: string, (path: string) => Promise<unknown>, RegExp][] = [
  ["half a state", (path) => truncate(join(path, "state.json"), 50), /state\.json: its text is not JSON .*: it is damaged/],
  [
    "another state",
    (path) => writeFile(join(path, "state.json"), '{"version":1,"stpe":3}'),
    /unknown key "stpe", did you mean "step"\?.*: it is damaged/s,
  ],
  ["a damaged header", (path) => flipBit(join(path, "model.safetensors"), 0), /model\.safetensors: .*: it is damaged/],
];

test.each(oldDamages)("a checkpoint of an earlier version, without checksums, is loaded, but not with %s", async (_, damage, message) => {
  for (const step of [3, 4]) await withoutSums(await saveCheckpoint(folder, state(step), tensors(step), 2));
  const into = tensors(0);
  expect((await loadNewest((await latestCheckpoint(folder))!, into)).state).toEqual(state(4));
  expect(into[0]!.values[0]).toBe(4);
  await damage(join(folder, "step-000004"));
  const loaded = await loadNewest((await latestCheckpoint(folder))!, into);
  expect(loaded.state).toEqual(state(3));
  expect(loaded.damaged[0]!.message).toMatch(message);
});

async function withoutSums(path: string): Promise<void> {
  await rm(join(path, "SHA256SUMS"));
  const text = await readFile(join(path, "state.json"), "utf8");
  await writeFile(join(path, "state.json"), text.replace('"version": 2', '"version": 1'));
}

test("the checksums are those that sha256sum prints", async () => {
  const path = await saveCheckpoint(folder, state(3), tensors(3), 2);
  const sum = async (name: string) =>
    `${createHash("sha256")
      .update(await readFile(join(path, name)))
      .digest("hex")}  ${name}\n`;
  const lines = await Promise.all(["model.safetensors", "optimizer.safetensors", "state.json"].map(sum));
  expect(await readFile(join(path, "SHA256SUMS"), "utf8")).toBe(lines.join(""));
});

test("tensors of other shapes or names are refused with both", async () => {
  await saveCheckpoint(folder, state(3), tensors(3), 2);
  const checkpoint = (await latestCheckpoint(folder))!;
  await expect(loadTensors(checkpoint, tensors(0, 8))).rejects.toThrow(/tensor "w" is \[3, 2\] but the model's is \[4, 2\]/);
  const [first, ...rest] = tensors(0);
  await expect(loadTensors(checkpoint, [{ ...first!, name: "u" }, ...rest])).rejects.toThrow(/no tensor "u"/);
});

test("the same state gives the same bytes", async () => {
  const path = await saveCheckpoint(folder, state(3), tensors(3), 2);
  const other = await saveCheckpoint(join(folder, "other"), state(3), tensors(3).reverse(), 2);
  for (const file of await readdir(path)) expect(await readFile(join(path, file))).toEqual(await readFile(join(other, file)));
});
