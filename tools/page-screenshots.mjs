// The two pictures of the page in the README, of a run that was trained: node tools/page-screenshots.mjs RUN [OUT_FOLDER]. It needs chromium.
import { statSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { modelOfRun, servePage } from "../dist/cli/page.js";
import { browserPath } from "./chromium.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const [run, out = join(root, "docs", "pictures")] = process.argv.slice(2);
if (run === undefined) throw new Error("usage: node tools/page-screenshots.mjs RUN [OUT_FOLDER]");
if (browserPath === undefined) throw new Error("chromium is not here: apt-get install chromium");
const mostBytes = 200_000;

await mkdir(out, { recursive: true });
const server = await servePage(
  { runs: run, port: 0, findModels: async () => [modelOfRun(run)] },
  { stderr: (text) => process.stderr.write(text) },
);
const browser = await chromium.launch({ executablePath: browserPath, args: ["--no-sandbox"] });
const page = await browser.newPage({ viewport: { width: 1200, height: 1000 }, colorScheme: "light", locale: "en-US" });

await page.goto(`${server.url}/#/watch`);
await page.locator(".chart canvas").first().waitFor();
await page.getByLabel("smoothing").fill("0.9");
await page.waitForTimeout(500); // charts are drawn once their sizes are known
await save("watch.png");

await page.goto(`${server.url}/#/talk`);
await page.getByLabel("The beginning").fill("Once upon a time");
await page.getByRole("button", { name: "Go on" }).click();
await page.getByRole("button", { name: "More" }).waitFor();
await page.locator(".token").nth(12).click();
await save("talk.png");

await browser.close();
await server.drain();

async function save(name) {
  const path = join(out, name);
  await page.screenshot({ path });
  const { size } = statSync(path);
  if (size > mostBytes) throw new Error(`${path} has ${size} bytes, but ${mostBytes} are the most`);
  console.log(`${basename(path)}: ${size} bytes`);
}
