// Contestants in pages of Debian's chromium: cria's wasm target and wllama, each in a page of its own.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import { chromium } from "playwright-core";
import { serve } from "../../test/web/serve.mjs";
import { browserPath } from "../../tools/chromium.mjs";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

/** The names of the two. */
export const inChromium = ["cria in chromium", "wllama in chromium"];

/** @returns both contestants; none where chromium or wllama is absent */
export async function openInChromium(path, tests, threads) {
  const wllama = here("../peers/node_modules/@wllama/wllama");
  const missing = [browserPath ?? "chromium", wllama].find((needed) => !existsSync(needed));
  if (missing !== undefined) {
    console.error(`chromium is left out: there is no ${missing}: bench/peers/README.md says what it needs`);
    return [];
  }
  const folder = mkdtempSync(join(tmpdir(), "cria-models-page-"));
  await esbuild.build({
    ...{ entryPoints: { page: here("page.mjs"), worker: here("../../dist/web/worker.js") }, outdir: folder, bundle: true, format: "esm" },
    ...{ splitting: true, platform: "browser", logLevel: "error", nodePaths: [here("../peers/node_modules")] },
  });
  const server = await serve({ page: folder, model: dirname(path), wllama: join(wllama, "esm/wasm") });
  const browser = await chromium.launch({ executablePath: browserPath, args: ["--no-sandbox"] });
  const address = `/isolated/model/${path.slice(dirname(path).length + 1)}`;
  const open = async (name, opener) => {
    const page = await browser.newPage();
    page.on("pageerror", (error) => console.error(`${name}: ${error}`));
    await page.goto(`${server.address}/isolated/page/`);
    await page.waitForFunction((opener) => opener in globalThis, opener);
    await page.evaluate(([opener, ...args]) => globalThis[opener](...args), [opener, address, tests, threads]);
    return {
      ...{ name, canRun: ({ sequences, depth }) => sequences === 1 && depth === 0 },
      run: (test) => page.evaluate((test) => globalThis.runTest(test), test),
      close: () => page.close(),
    };
  };
  const contestants = [await open(inChromium[0], "openCria"), await open(inChromium[1], "openWllama")];
  for (const { run, canRun } of contestants) for (const test of tests.filter(canRun)) await run(test); // what is compiled first does not count
  const close = async () => {
    await contestants[1].close();
    await browser.close();
    server.close();
    rmSync(folder, { recursive: true });
  };
  return [contestants[0], { ...contestants[1], close }];
}
