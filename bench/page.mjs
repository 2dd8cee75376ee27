// What the page costs the training that it shows: tokens per second with three tabs open in chromium, beside those without. One of the tabs is in front, as
// in any window. The text is the documentation.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { median } from "../dist/base/index.js";
import { servePage } from "../dist/cli/page.js";
import { browserPath } from "../tools/chromium.mjs";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const [rounds, seconds, settling, tabs] = [Number(process.env.ROUNDS ?? 3), Number(process.env.SECONDS ?? 20), 4, 3];

export async function run() {
  if (browserPath === undefined) throw new Error("chromium is not here: apt-get install chromium");
  const rates = { without: [], with: [] };
  for (let round = 0; round < rounds; round++) for (const kind of Object.keys(rates)) rates[kind].push(await rateOf(kind === "with"));
  const ratios = rates.with.map((rate, i) => rate / rates.without[i]);
  console.log(
    `tokens/s without the page ${median(rates.without).toFixed(0)}, with ${tabs} tabs ${median(rates.with).toFixed(0)}: ${median(ratios).toFixed(3)} ×`,
  );
}

/** Tokens per second of a training that is stopped after some seconds. */
async function rateOf(isWatched) {
  const root = mkdtempSync(join(tmpdir(), "cria-page-"));
  const folder = join(root, "runs", "text");
  const words = ["train", `${here("../docs")}/**/*.md`, "--set", "steps=100000", "--out", folder];
  const training = spawn(process.execPath, [here("../dist/cli/main.js"), ...words], { stdio: "ignore", cwd: root });
  const ended = new Promise((resolve) => training.on("close", resolve));
  while (!existsSync(join(folder, "metrics.jsonl"))) {
    if (training.exitCode !== null) throw new Error("training has ended before its first step");
    await sleep(50);
  }
  const page = isWatched ? await openTabs(join(root, "runs")) : undefined;
  await sleep(1000 * settling); // chromium starts, and pages are loaded
  const before = rowsOf(folder).length;
  await sleep(1000 * seconds);
  training.kill("SIGINT");
  await ended;
  await page?.close();
  const rows = rowsOf(folder).slice(before);
  rmSync(root, { recursive: true });
  const steps = rows.filter((row) => row.loss !== undefined);
  return (steps.at(-1).tokens - steps[0].tokens) / steps.slice(1).reduce((sum, row) => sum + row.seconds, 0);
}

function rowsOf(folder) {
  const lines = readFileSync(join(folder, "metrics.jsonl"), "utf8").split("\n");
  return lines.slice(0, -1).map((line) => JSON.parse(line));
}

async function openTabs(runs) {
  const server = await servePage({ runs, port: 0 }, { stderr: console.error });
  const browser = await chromium.launch({ executablePath: browserPath, args: ["--no-sandbox"] });
  const context = await browser.newContext();
  for (let i = 0; i < tabs; i++) await (await context.newPage()).goto(server.url);
  const close = async () => {
    await browser.close();
    await server.drain();
  };
  return { close };
}
