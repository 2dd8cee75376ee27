// Models and tokenizers of Hugging Face's hub, wherever a command takes one.
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { openFile } from "../files/index.ts";
import { readGgufMetadata } from "../formats/index.ts";
import { FakeHub } from "../hub/fake-hub.test.helper.ts";
import { Llama, openModel } from "../index.ts";
import { withFolder, writeTinyBin, writeTinyFolder } from "../load/tiny-model.test.helper.ts";
import { commandRows } from "./commands.ts";
import { runWords } from "./terminal.test.helper.ts";

let work: string;
let hub: FakeHub;
beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "cria-hub-cli-"));
  hub = await FakeHub.open(
    { name: "owner/tiny", files: await filesOf(writeTinyFolder), large: ["model.safetensors"] },
    { name: "owner/other", files: { "config.json": '{"model_type":"mamba"}', "model.safetensors": "x" } },
    { name: "owner/stories-0.3M", files: await filesOf(writeTinyBin) },
  );
  for (const [name, value] of Object.entries({ HF_ENDPOINT: hub.url, HF_HOME: work, HF_TOKEN: "", HTTP_PROXY: "", http_proxy: "" }))
    vi.stubEnv(name, value);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await hub[Symbol.asyncDispose]();
  await rm(work, { recursive: true });
});

/** Names and bytes of what `write` puts into a folder. */
function filesOf(write: (folder: string) => Promise<unknown>): Promise<Record<string, Uint8Array>> {
  return withFolder(async (folder) => {
    await write(folder);
    const names = await readdir(folder);
    return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name))] as const)));
  });
}

const run = (...words: readonly string[]) => runWords(words, commandRows);

test.each([
  ["generate, of a file", ["generate", "hf:owner/stories-0.3M:tiny.bin", "ab", "--max-tokens", "3", "--temperature", "0"]],
  ["inspect", ["inspect", "hf:owner/tiny@v1.0"]],
  ["plan", ["plan", "hf:owner/tiny", "--tokens", "1M"]],
  ["tokenizer encode", ["tokenizer", "encode", "hf:owner/tiny", "ab"]],
  ["tokenizer inspect", ["tokenizer", "inspect", "hf:owner/tiny:tokenizer.json"]],
])("%s", async (_, words) => {
  const { code, stdout, stderr } = await run(...words);
  expect(stderr.replace(/^Besiroglu.*\n/, "")).toBe("");
  expect(code).toBe(0);
  expect(stdout).not.toBe("");
});

test("what it says is what the folder says, and progress goes where it goes for other work", async () => {
  const tasks = new Set<string>();
  await rm(join(work, "hub"), { recursive: true, force: true });
  const asked = ["generate", "hf:owner/tiny", "ab", "--max-tokens", "8", "--seed", "1"];
  const { stdout } = await runWords(asked, commandRows, { progress: ({ task }) => tasks.add(task) });
  expect(tasks).toContain("downloading owner/tiny");
  await withFolder(async (folder) => {
    await writeTinyFolder(folder);
    expect((await run("generate", folder, ...asked.slice(2))).stdout).toBe(stdout);
  });
});

test("weights of a model that cria does not compute are not downloaded", async () => {
  const { code, stderr } = await run("generate", "hf:owner/other", "ab");
  expect(code).toBe(1);
  expect(stderr).toMatch(/config\.json: model_type is the string "mamba" but cria computes/);
  expect(hub.downloads("model.safetensors").filter(({ path }) => path.includes("owner/other"))).toEqual([]);
});

test("a plan needs no weights", async () => {
  await rm(join(work, "hub"), { recursive: true, force: true });
  const before = hub.downloads("model.safetensors").length;
  const [far, near] = await Promise.all([run("plan", "hf:owner/tiny", "--tokens", "1M", "--json"), planOfFolder()]);
  expect(far).toMatchObject({ code: 0 });
  expect(JSON.parse(far.stdout).plan).toEqual(JSON.parse(near.stdout).plan);
  expect(hub.downloads("model.safetensors")).toHaveLength(before);
});

function planOfFolder() {
  return withFolder(async (folder) => {
    await writeTinyFolder(folder);
    return run("plan", folder, "--tokens", "1M", "--json");
  });
}

test("the library, with another tokenizer of the hub", async () => {
  const events: string[] = [];
  await rm(join(work, "hub"), { recursive: true, force: true });
  await using llama = await Llama.load("hf:owner/stories-0.3M", {
    tokenizer: "hf:owner/tiny",
    onProgress: ({ task }) => events.push(task),
  });
  expect(llama.tokenizer.vocabSize).toBe(265);
  await using model = await openModel("hf:owner/stories-0.3M");
  expect(model.format).toBe("llama2.c");
  expect(events).toContain("downloading owner/stories-0.3M");
});

test("a model is converted, and a GGUF has the repository's name", async () => {
  const path = join(work, "made.gguf");
  expect(await run("convert", "hf:owner/stories-0.3M", path)).toMatchObject({ code: 0 });
  await using source = await openFile(path);
  expect((await readGgufMetadata(source)).pairs.get("general.name")?.value).toBe("stories-0.3M");
});

test("recipes name a tokenizer of the hub, from any folder", async () => {
  await writeFile(join(work, "text.txt"), Array.from({ length: 400 }, (_, i) => `ab ${i} a b`.repeat(9)).join("\n\n"));
  await writeFile(join(work, "data.yaml"), "sources: [{ paths: text.txt }]\nheldOut: 0.1\n");
  const recipe =
    "data: data\ntokenizer: hf:owner/tiny\nmodel: { dim: 8, nLayers: 1, nHeads: 1, contextLength: 16 }\nsteps: 3\nwarmupSteps: 1\n";
  await writeFile(join(work, "train.yaml"), recipe);
  const prepared = await run("data", "prepare", join(work, "data.yaml"), "--tokenizer", "hf:owner/tiny", "--out", join(work, "data"));
  expect(prepared).toMatchObject({ code: 0 });
  expect(await run("train", join(work, "train.yaml"), "--dry-run")).toMatchObject({ code: 0 });
});

test("a repository's name without hf: is told how to be downloaded", async () => {
  expect(await run("generate", "owner/tiny", "ab")).toMatchObject({
    code: 1,
    stderr: "[model] owner/tiny: no such file or folder: check the path, or name hf:owner/tiny to download it\n",
  });
});
