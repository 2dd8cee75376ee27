// Programs for Node that are bundled with cria inside: worker files are found, or the error says how to leave cria out.
import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundleByEsbuild, bundleByVite } from "./web/bundle.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const model = join(root, "test/fixtures/2026-11-28/run");
const work = mkdtempSync(join(tmpdir(), "cria-bundles-"));
afterAll(() => rmSync(work, { recursive: true }));

/** A copy of an example, with its packages as they are installed here. @returns its folder */
function copyOf(example) {
  const folder = join(work, example);
  cpSync(join(root, "examples", example), folder, { recursive: true });
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(root, join(folder, "node_modules/cria"));
  symlinkSync(join(root, "node_modules", example), join(folder, "node_modules", example));
  return folder;
}

/** Runs Node. @returns what the program printed, also where it failed */
function node(args, options = {}) {
  return new Promise((resolve) => execFile(process.execPath, args, options, (_error, stdout, stderr) => resolve({ stdout, stderr })));
}

/** What a program prints, or the error that ends it. */
async function run(path, target) {
  const { stdout, stderr } = await node([path, model, "The"], { env: { ...process.env, CRIA_TARGET: target } });
  return stdout === "" ? stderr : stdout;
}

let expected;
beforeAll(async () => {
  for (const example of ["esbuild", "vite"]) copyOf(example);
  expected = await run(join(work, "esbuild/app.mjs"), "wasm");
  expect(expected).toMatch(/\S/);
  expect(expected).not.toMatch(/Error/);
});

describe.concurrent("esbuild", () => {
  const folder = join(work, "esbuild");
  const options = { platform: "node", target: "node20" };
  const koffi = join(root, "node_modules/koffi");

  test("the example, whose bundle has the worker as an entry of its own, starts threads; machine code runs where koffi is installed", async () => {
    expect((await node(["build.mjs"], { cwd: folder })).stderr).toBe("");
    expect(await run(join(folder, "dist/app.js"), "wasm")).toBe(expected);
    if (process.arch !== "x64" || !existsSync(koffi)) return console.warn("skipped: machine code in a bundle, koffi is not installed here");
    symlinkSync(koffi, join(folder, "node_modules/koffi"));
    const said = await run(join(folder, "dist/app.js"), "avx2");
    if (/lacks/.test(said)) return console.warn("skipped: machine code in a bundle, this CPU has no AVX2");
    expect(said).toBe(expected);
  });

  test("without that entry, the error names both ways out", async () => {
    await bundleByEsbuild(folder, { app: "app.mjs" }, "alone", options);
    const said = await run(join(folder, "alone/app.js"), "wasm");
    expect(said).toContain("its file, worker.js, is not beside the module that starts it");
    expect(said).toMatch(/leave cria out of the bundle .*or bundle cria\/worker too/);
  });

  test("with cria external, it runs as it is installed", async () => {
    await bundleByEsbuild(folder, { app: "app.mjs" }, "external", { ...options, external: ["cria"] });
    expect(await run(join(folder, "external/app.js"), "wasm")).toBe(expected);
  });
});

describe.concurrent("vite, for a server", () => {
  const folder = join(work, "vite");

  test("the example, whose bundle has the worker as an entry of its own, starts threads", async () => {
    const vite = join(root, "node_modules/vite/bin/vite.js");
    expect((await node([vite, "build", "--ssr", "--logLevel", "warn"], { cwd: folder })).stderr).toBe("");
    expect(await run(join(folder, "dist/app.js"), "wasm")).toBe(expected);
  });

  test("with cria external, it runs as it is installed", async () => {
    const output = { entryFileNames: "[name].js" };
    const build = { ssr: true, outDir: "external", rollupOptions: { input: join(folder, "app.mjs"), output } };
    await bundleByVite(folder, { build, ssr: { external: ["cria"] } });
    expect(await run(join(folder, "external/app.js"), "wasm")).toBe(expected);
  });
});
