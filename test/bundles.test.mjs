// Programs for Node that are bundled with cria inside: worker files are found, or the error says how to leave cria out.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundleByEsbuild, bundleByVite, makeApp } from "./web/bundle.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const model = join(root, "test/fixtures/2026-11-28/run");
const work = mkdtempSync(join(tmpdir(), "cria-bundles-"));
const app = join(work, "app");
afterAll(() => rmSync(work, { recursive: true }));

const program = `
  import { Llama } from "cria";
  const llama = await Llama.load(${JSON.stringify(model)}, { threads: 2 });
  let text = "";
  for await (const part of llama.generate("The", { maxTokens: 12, seed: 3 })) text += part;
  console.log(JSON.stringify(text));
  await llama.dispose();
`;

/** What the program prints, or the error that ends it. */
function run(path, target) {
  const env = { ...process.env, CRIA_TARGET: target };
  const { stdout, stderr } = spawnSync(process.execPath, [path], { encoding: "utf8", env });
  return stdout === "" ? stderr : stdout;
}

let expected;
beforeAll(() => {
  const source = makeApp(app, "app.mjs", program);
  expected = run(source, "wasm");
  expect(expected).toMatch(/^"./);
});

const node = {
  platform: "node",
  target: "node20",
  banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
};
const viteFor = (out, input, ssr) => ({
  build: { ssr: true, outDir: out, target: "node20", rollupOptions: { input, output: { entryFileNames: "[name].js" } } },
  ssr,
});

describe("esbuild", () => {
  test("with the worker as an entry of its own, threads start", async () => {
    await bundleByEsbuild(app, { app: "app.mjs", worker: "cria/worker" }, "esbuild", node);
    expect(run(join(app, "esbuild/app.js"), "wasm")).toBe(expected);
  });

  test("without it, the error names both ways out", async () => {
    await bundleByEsbuild(app, { app: "app.mjs" }, "esbuild-alone", node);
    const said = run(join(app, "esbuild-alone/app.js"), "wasm");
    expect(said).toContain("its file, worker.js, is not beside the module that starts it");
    expect(said).toMatch(/leave cria out of the bundle .*or bundle cria\/worker too/);
  });

  test("with cria external, it runs as it is installed", async () => {
    await bundleByEsbuild(app, { app: "app.mjs" }, "esbuild-external", { ...node, external: ["cria"] });
    expect(run(join(app, "esbuild-external/app.js"), "wasm")).toBe(expected);
  });
});

describe("vite, for a server", () => {
  test("with cria external, it runs as it is installed", async () => {
    await bundleByVite(app, viteFor("vite", join(app, "app.mjs"), { external: ["cria"] }));
    expect(run(join(app, "vite/app.js"), "wasm")).toBe(expected);
  });

  test("bundled with the worker as an entry of its own, threads start", async () => {
    const input = { app: join(app, "app.mjs"), worker: "cria/worker" };
    await bundleByVite(app, viteFor("vite-inside", input, { noExternal: ["cria"] }));
    expect(run(join(app, "vite-inside/app.js"), "wasm")).toBe(expected);
  });
});

const koffi = join(root, "node_modules/koffi");
test.skipIf(process.arch !== "x64" || !existsSync(koffi))("a bundle loads machine code where koffi is installed beside it", () => {
  symlinkSync(koffi, join(app, "node_modules/koffi"));
  const said = run(join(app, "esbuild/app.js"), "avx2");
  if (/lacks/.test(said)) return console.warn("skipped: machine code in a bundle, this CPU has no AVX2");
  expect(said).toBe(expected);
});
