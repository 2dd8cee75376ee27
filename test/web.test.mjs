// cria in a page of Debian's chromium: the same bits as in Node, with threads where the page is cross-origin isolated, without where not.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openCpuBackend } from "../dist/host/index.js";
import { Llama } from "../dist/index.js";
import { sharedData } from "../dist/load/shared-data.test.helper.js";
import { browserPath } from "../tools/chromium.mjs";
import { bundleByEsbuild, bundleByVite, makeApp } from "./web/bundle.mjs";
import { train } from "./web/program.mjs";
import { serve } from "./web/serve.mjs";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const text = readFileSync(here("../README.md"), "utf8");
const steps = 50;

if (browserPath === undefined) console.warn("skipped: cria in a page, chromium is not here (apt-get install chromium)");

// Stories260K tells what llama2.c's own test expects of its program (github.com/karpathy/llama2.c, test_all.py).
const stories = sharedData("stories260K");
if (stories === undefined)
  console.warn("skipped: stories260K in a page, its folder is not here (CRIA_DATA); a model of the fixtures writes instead");
const modelFolder = stories ?? here("fixtures/2026-11-28/run");
const modelNames = stories
  ? ["stories260K.bin", "tok512.bin"]
  : ["config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"];
const prompt = stories ? ["", { temperature: 0, maxTokens: 60 }] : ["The", { temperature: 0, maxTokens: 12 }];
const storyOfLily =
  "Once upon a time, there was a little girl named Lily. She loved to play outside in the park. One day, she saw a big, red ball.";

const work = mkdtempSync(join(tmpdir(), "cria-web-"));
const app = join(work, "app");
afterAll(() => rmSync(work, { recursive: true }));

let metafile, viteOutput;
beforeAll(async () => {
  makeApp(app, "page.mjs", readFileSync(here("web/page.mjs"), "utf8"));
  cpSync(here("web/program.mjs"), join(app, "program.mjs"));
  makeGuide();
  const entries = { page: "page.mjs", guide: "guide.mjs", worker: "cria/web/worker" };
  const output = { entryFileNames: "[name].js" };
  const build = { outDir: "vite", target: "es2022", rollupOptions: { input: join(app, "page.mjs"), output } };
  [metafile, viteOutput] = await Promise.all([
    bundleByEsbuild(app, entries, "esbuild", { platform: "browser" }),
    bundleByVite(app, { base: "./", build }),
  ]);
});

/** A page of the guide's examples, with the files that they fetch. */
function makeGuide() {
  const guide = readFileSync(here("../docs/guide/web.md"), "utf8").replaceAll("\r\n", "\n");
  const blocks = [...guide.matchAll(/^```js page\n([\s\S]*?)^```$/gm)];
  blocks.forEach(([, code], i) => writeFileSync(join(app, `example-${i}.mjs`), code));
  const imports = blocks.map((_, i) => `import "./example-${i}.mjs";`);
  writeFileSync(join(app, "guide.mjs"), `${imports.join("\n")}\ndocument.body.dataset.done = "yes";\n`);
  cpSync(here("fixtures/2026-11-28/run"), join(app, "esbuild/model"), { recursive: true });
  writeFileSync(join(app, "esbuild/text.txt"), text);
}

test("a bundle for a page names no module of Node, and its worker is a file of its own", () => {
  const outputs = Object.entries(metafile.outputs);
  expect(outputs.map(([name]) => name)).toContain("esbuild/worker.js");
  for (const [name, { imports }] of outputs)
    expect({ name, outside: imports.filter(({ external }) => external) }).toEqual({ name, outside: [] });
  // What a page does not use is left out: `sideEffects` of package.json allows it.
  const inputs = outputs.flatMap(([, output]) => Object.keys(output.inputs));
  expect(inputs.filter((path) => /dist\/kernel\/x64\//.test(path))).toEqual([]);
  const worker = viteOutput.find(({ fileName }) => /worker/.test(fileName));
  const page = viteOutput.find(({ fileName }) => fileName === "page.js");
  expect(page.code).toContain(worker.fileName.split("/").at(-1));
});

describe.skipIf(browserPath === undefined)("in chromium", () => {
  let browser, server, inNode, expectedText;
  beforeAll(async () => {
    cpSync(join(app, "esbuild"), join(app, "lost"), { recursive: true, filter: (path) => !path.endsWith("worker.js") });
    server = await serve({ esbuild: join(app, "esbuild"), lost: join(app, "lost"), vite: join(app, "vite"), model: modelFolder });
    browser = await chromium.launch({ executablePath: browserPath, args: ["--no-sandbox"] });
    delete process.env.CRIA_WASM_FMA; // a page uses what its WebAssembly has
    const backend = await openCpuBackend({ target: "wasm", threads: 2 });
    inNode = await train(backend, text, steps);
    const llama = await Llama.load(modelFolder, { backend });
    expectedText = "";
    for await (const part of llama.generate(...prompt)) expectedText += part;
    await llama.dispose();
    if (stories) expect(expectedText.slice(0, storyOfLily.length)).toBe(storyOfLily);
    await backend.dispose();
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  async function newPage() {
    const page = await browser.newPage();
    page.setDefaultTimeout(120_000);
    return page;
  }

  /** What a function of the page gives. */
  async function inPage(path, name, ...args) {
    const page = await newPage();
    const errors = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    await page.goto(`${server.address}/${path}/`);
    try {
      return await page.evaluate(([name, args]) => globalThis[name](...args), [name, args]);
    } finally {
      await page.close();
      expect(errors).toEqual([]);
    }
  }

  test("a page that is cross-origin isolated trains on threads, to the bits of Node", async () => {
    const { name, pieces, losses, written } = await inPage("isolated/esbuild", "trainHere", { threads: 2 }, text, steps);
    expect(name).toMatch(/^cpu: wasm(\+fma)?, 2 threads$/);
    expect(pieces).toEqual(inNode.pieces);
    expect(losses).toEqual(inNode.losses);
    expect(written).toBe(inNode.written);
    expect(written).not.toBe("");
  });

  test("a page that is not trains without, to the same bits, and says so", async () => {
    const { name, losses } = await inPage("plain/esbuild", "trainHere", {}, text, 10);
    expect(name).toMatch(/^cpu: wasm(\+fma)?, without worker threads: the page is not cross-origin isolated: serve it with /);
    expect(losses).toEqual(inNode.losses.slice(0, 10));
    const wish = inPage("plain/esbuild", "trainHere", { threads: 2 }, text, 1);
    await expect(wish).rejects.toThrow("[cpu] threads is 2, but the page is not cross-origin isolated");
  });

  test.each([
    ["isolated", /^cpu: wasm(\+fma)?, [1-9]\d* threads?$/],
    ["plain", /^cpu: wasm(\+fma)?, without worker threads: the page is not/],
  ])("a model of a server's files writes what it writes in Node: %s", async (isolation, called) => {
    const addresses = Object.fromEntries(modelNames.map((name) => [name, `/${isolation}/model/${name}`]));
    const { name, text } = await inPage(`${isolation}/esbuild`, "writeHere", addresses, ...prompt);
    expect(name).toMatch(called);
    expect(text).toBe(expectedText);
  });

  test("the examples of docs/guide/web.md do what they say", async () => {
    const page = await newPage();
    await page.goto(`${server.address}/isolated/esbuild/?guide`);
    await page.waitForSelector("[data-done]", { state: "attached" });
    const { title, text } = await page.evaluate(() => ({ title: document.title, text: document.body.textContent }));
    await page.close();
    expect(title).toMatch(/^step 20, loss \d\.\d\d$/);
    expect(text.length).toBeGreaterThan(20);
  });

  test("vite's bundle finds its workers", async () => {
    const { name, losses } = await inPage("isolated/vite", "trainHere", { threads: 2 }, text, 3);
    expect(name).toMatch(/^cpu: wasm(\+fma)?, 2 threads$/);
    expect(losses).toEqual(inNode.losses.slice(0, 3));
  });

  test("a worker that is not where the bundle looks for it is an error that says what to do", async () => {
    const opening = inPage("isolated/lost", "trainHere", { threads: 2 }, text, 1);
    await expect(opening).rejects.toThrow("a bundle needs cria/web/worker as an entry of its own");
  });
});
