// cria in a page of Debian's chromium: the same bits as in Node, with threads where the page is cross-origin isolated, without where not.
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openCpuBackend } from "../dist/host/index.js";
import { bundleByEsbuild, bundleByVite, makeApp } from "./web/bundle.mjs";
import { train } from "./web/program.mjs";
import { serve } from "./web/serve.mjs";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const text = readFileSync(here("../README.md"), "utf8");
const steps = 50;

const browserPath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) => existsSync(path));
if (browserPath === undefined) console.warn("skipped: cria in a page, chromium is not here (apt-get install chromium)");

const work = mkdtempSync(join(tmpdir(), "cria-web-"));
const app = join(work, "app");
afterAll(() => rmSync(work, { recursive: true }));

let metafile, viteOutput;
beforeAll(async () => {
  makeApp(app, "page.mjs", readFileSync(here("web/page.mjs"), "utf8"));
  cpSync(here("web/program.mjs"), join(app, "program.mjs"));
  metafile = await bundleByEsbuild(app, { page: "page.mjs", worker: "cria/web/worker" }, "esbuild", { platform: "browser" });
  const output = { entryFileNames: "[name].js" };
  const build = { outDir: "vite", target: "es2022", rollupOptions: { input: join(app, "page.mjs"), output } };
  viteOutput = await bundleByVite(app, { base: "./", build });
});

test("a bundle for a page names no module of Node, and its worker is a file of its own", () => {
  const outputs = Object.entries(metafile.outputs);
  expect(outputs.map(([name]) => name)).toContain("esbuild/worker.js");
  for (const [name, { imports }] of outputs)
    expect({ name, outside: imports.filter(({ external }) => external) }).toEqual({ name, outside: [] });
  const worker = viteOutput.find(({ fileName }) => /worker/.test(fileName));
  const page = viteOutput.find(({ fileName }) => fileName === "page.js");
  expect(page.code).toContain(worker.fileName.split("/").at(-1));
});

describe.skipIf(browserPath === undefined)("in chromium", () => {
  let browser, server, inNode;
  beforeAll(async () => {
    server = await serve({ esbuild: join(app, "esbuild"), vite: join(app, "vite") });
    browser = await chromium.launch({ executablePath: browserPath, args: ["--no-sandbox"] });
    const backend = await openCpuBackend({ target: "wasm", threads: 2 });
    inNode = await train(backend, text, steps);
    await backend.dispose();
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  /** What a function of the page gives. */
  async function inPage(path, name, ...args) {
    const page = await browser.newPage();
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
    const { name, pieces, losses } = await inPage("isolated/esbuild", "trainHere", { threads: 2 }, text, steps);
    expect(name).toMatch(/^cpu: wasm(\+fma)?, 2 threads$/);
    expect(pieces).toEqual(inNode.pieces);
    expect(losses).toEqual(inNode.losses);
  });

  test("a page that is not trains without, to the same bits, and says so", async () => {
    const { name, losses } = await inPage("plain/esbuild", "trainHere", {}, text, 10);
    expect(name).toMatch(/^cpu: wasm(\+fma)?, without worker threads: the page is not cross-origin isolated: serve it with /);
    expect(losses).toEqual(inNode.losses.slice(0, 10));
    const wish = inPage("plain/esbuild", "trainHere", { threads: 2 }, text, 1);
    await expect(wish).rejects.toThrow("[cpu] threads is 2, but the page is not cross-origin isolated");
  });

  test("vite's bundle finds its workers", async () => {
    const { name, losses } = await inPage("isolated/vite", "trainHere", { threads: 2 }, text, 3);
    expect(name).toMatch(/^cpu: wasm(\+fma)?, 2 threads$/);
    expect(losses).toEqual(inNode.losses.slice(0, 3));
  });

  test("a worker that is not where the bundle looks for it is an error that says what to do", async () => {
    rmSync(join(app, "esbuild/worker.js"));
    const opening = inPage("isolated/esbuild", "trainHere", { threads: 2 }, text, 1);
    await expect(opening).rejects.toThrow("a bundle needs cria/web/worker as an entry of its own");
  });
});
