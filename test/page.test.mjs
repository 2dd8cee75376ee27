// The page in Debian's chromium: its tabs in both languages and colours, a run that goes on while one watches, and what it may not do.
import { readdirSync, readFileSync } from "node:fs";
import { appendFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";
import { chromium } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { servePage } from "../dist/cli/page.js";
import { askedOf, lockRun, writeRecipe } from "../dist/runs/index.js";
import { ask, post, serverForAll } from "../dist/serve/serve.test.helper.js";
import { tinyRecipe } from "../dist/train/tiny-run.test.helper.js";
import { browserPath } from "../tools/chromium.mjs";

if (browserPath === undefined) console.warn("skipped: the page, chromium is not here (apt-get install chromium)");
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const markup = '<img src=x onerror="document.body.dataset.broken=1"><b>bold</b>';

const assets = fileURLToPath(new URL("../dist/page", import.meta.url));
const talking = serverForAll({ page: { assets } });
const guarded = serverForAll({ page: { assets }, security: { apiKeys: ["se cret"], origins: [], hosts: [] } });
let root, server, lock, browser;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "cria-page-"));
  await makeRun("training", 40, { steps: 100, samples: { prompts: ["The"], every: 10 } });
  await makeRun("done", 30, { steps: 30, learningRate: 2e-3 });
  await mkdir(join(root, "studies"));
  await writeFile(
    join(root, "studies/report.html"),
    `<!doctype html><html lang="en"><title>A study</title><h1>A study</h1>${markup}</html>`,
  );
  lock = await lockRun(join(root, "training"));
  server = await servePage({ runs: root, port: 0 }, { stderr: (text) => console.error(text) });
  if (browserPath !== undefined) browser = await chromium.launch({ executablePath: browserPath, args: ["--no-sandbox"] });
});
afterAll(async () => {
  await browser?.close();
  await server.drain();
  await lock[Symbol.asyncDispose]();
  await rm(root, { recursive: true });
});

async function makeRun(name, count, changes) {
  const folder = join(root, name);
  await mkdir(folder);
  await writeRecipe(join(folder, "train.yaml"), tinyRecipe(changes));
  const rows = Array.from({ length: count }, (_, i) => stepRow(i + 1));
  await writeFile(join(folder, "metrics.jsonl"), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  await appendFile(join(folder, "metrics.jsonl"), `${JSON.stringify({ step: count, heldOutLoss: 2, bitsPerByte: 1.25, seconds: 1 })}\n`);
  await appendFile(
    join(folder, "metrics.jsonl"),
    `${JSON.stringify({ step: count, samples: [{ prompt: "The", text: markup }], seconds: 1 })}\n`,
  );
}

function stepRow(step) {
  return { step, loss: 3 - step / 100, learningRate: 1e-3, gradientNorm: 1, tokens: 64 * step, tokensPerSecond: 1280, seconds: 0.05 };
}

/** Gives `act` a page, and what it complains of. */
async function withPage(place, { at = server.url, ...options }, act) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(120_000);
  const page = await context.newPage();
  const problems = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && problems.push(message.text()));
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("request", (asked) => asked.url().startsWith(at) || problems.push(`it asks ${asked.url()}`));
  await page.goto(`${at}/#/${place}`);
  await act(page, problems).finally(() => context.close());
}

const looks = [
  { colorScheme: "light", locale: "en-US" },
  { colorScheme: "dark", locale: "zh-CN" },
];
const tabs = ["watch", "plan", "studies", "look"];
const cases = looks.flatMap((look) => tabs.map((tab) => ({ tab, ...look })));
const serverOf = (tab) => (tab === "look" ? talking() : server).url;

test.skipIf(browserPath === undefined).each(cases)(
  "$tab, $locale, $colorScheme: axe finds nothing, and nothing is complained of",
  async ({ tab, ...look }) => {
    await withPage(tab, { at: serverOf(tab), ...look }, async (page, problems) => {
      await page.locator("main .card").first().waitFor();
      await page.locator("nav a[aria-current]").waitFor();
      const { violations } = await page.evaluate(`${axe}; axe.run(document, { iframes: false })`);
      expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)).toEqual([]);
      expect(problems.filter((text) => !text.includes("/page/"))).toEqual([]); // the report's script and picture are refused, which is told
      expect(await page.evaluate("document.documentElement.lang")).toBe(look.locale.slice(0, 2));
    });
  },
);

test.skipIf(browserPath === undefined)("a run that goes on moves on the page, its texts are text, and the buttons reach it", async () => {
  await withPage("watch", { viewport: { width: 390, height: 800 } }, async (page, problems) => {
    await page.getByText("step 40 of 100").waitFor();
    await page.locator(".chart canvas").first().waitFor();
    expect(await page.locator(".chart").count()).toBe(5);
    await page.locator(".sample", { hasText: markup }).waitFor();
    expect(await page.evaluate("[document.body.dataset.broken, document.documentElement.scrollWidth <= innerWidth]")).toEqual([
      undefined,
      true,
    ]);
    await appendFile(join(root, "training/metrics.jsonl"), `${JSON.stringify(stepRow(41))}\n`);
    await page.getByText("step 41 of 100").waitFor();
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByRole("button", { name: "Go on" }).click();
    await page.getByRole("button", { name: "Pause" }).waitFor();
    await page.getByRole("button", { name: "Stop and save" }).click();
    await page.getByRole("button", { name: "Write now" }).click();
    while ((await askedOf(join(root, "training"))).size < 2) await sleep(5);
    await page.getByRole("checkbox", { name: /^done/ }).check();
    await page.getByRole("row", { name: /learningRate/ }).waitFor();
    expect(problems).toEqual([]);
  });
});

test.skipIf(browserPath === undefined)("a plan follows its sliders, and reports are shown as pages that may do nothing", async () => {
  await withPage("plan", {}, async (page, problems) => {
    const before = await page.locator(".tiles dd").first().textContent();
    await page.getByLabel("operations (FLOPs)").fill("24");
    await page.waitForFunction((text) => document.querySelector(".tiles dd")?.textContent !== text, before);
    await page.getByRole("link", { name: "Studies" }).click();
    const report = page.frameLocator("iframe");
    await report.getByRole("heading", { name: "A study" }).waitFor();
    expect(await report.locator("body").getAttribute("data-broken")).toBe(null);
    expect(problems.filter((text) => !text.includes("/page/"))).toEqual([]);
  });
});

test.skipIf(browserPath === undefined)("one talks with a model: an answer, another one, a branch; and a text by its tokens", async () => {
  await withPage("talk", { at: talking().url }, async (page, problems) => {
    const drawing = page.getByText("How it draws and what it keeps to");
    await drawing.click();
    await page.getByLabel("tokens at most").fill("16");
    await page.getByLabel("Your message").fill("ab");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Again" }).click();
    await page.getByText(/\b2 of 2\b/).waitFor();
    await page.getByRole("button", { name: "Send" }).waitFor();
    await page.getByRole("button", { name: "The branch before" }).click();
    await page.getByText(/\b1 of 2\b/).waitFor();
    await page.getByText(/tokens per second/).waitFor();
    const { violations } = await page.evaluate(`${axe}; axe.run(document)`);
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)).toEqual([]);
    await page.locator("main select").nth(1).selectOption("text");
    await drawing.click();
    await page.getByLabel("seed").fill("1");
    await page.getByLabel("The beginning").fill("ab");
    await page.getByRole("button", { name: "Go on" }).click();
    await page.getByRole("button", { name: "More" }).waitFor();
    const tokens = await page.locator(".token").count();
    await page.locator(".token").nth(2).click();
    await page.locator(".others button:not(:disabled)").first().click();
    await page.getByRole("button", { name: "More" }).waitFor();
    expect(tokens).toBeGreaterThan(2); // 64, unless the model has drawn its end of text
    expect(problems).toEqual([]);
  });
});

test.skipIf(browserPath === undefined)("one looks into a model: a text as pieces, a word's merges, and every tensor", async () => {
  await withPage("look", { at: talking().url, viewport: { width: 390, height: 800 } }, async (page, problems) => {
    await page.getByLabel("Text", { exact: true }).fill(`ab ab${markup}`);
    await page.getByText("68 bytes").waitFor();
    const merges = page.getByLabel(/^merges done/);
    const last = await merges.getAttribute("aria-valuetext");
    await merges.press("ArrowLeft");
    expect(await merges.getAttribute("aria-valuetext")).not.toBe(last);
    await page.getByRole("button", { name: "head 3" }).click();
    await page.getByLabel("token that looks").selectOption("0");
    await page.getByRole("row", { name: "0 <s> 100 %" }).waitFor();
    await page.getByText("Layer 1").click();
    await page.getByRole("row", { name: "ffn.gate 24 × 16 384" }).waitFor();
    await page.locator("details[open]").getByRole("button", { name: "ffn.gate" }).click();
    await page.getByLabel("compare with fewer bits").selectOption("bf16");
    await page.getByRole("img", { name: /^Histogram of the errors, from/ }).waitFor();
    expect(await page.evaluate("[document.body.dataset.broken, document.documentElement.scrollWidth <= innerWidth]")).toEqual([
      undefined,
      true,
    ]);
    const { violations } = await page.evaluate(`${axe}; axe.run(document)`);
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)).toEqual([]);
    expect(problems).toEqual([]);
  });
});

test("another site cannot drive the page: its origin and its names for this machine are refused", async () => {
  const at = (path) => `${server.url}${path}`;
  const body = { run: "training", request: "pause", isAsked: true };
  expect((await post(at("/page/requests"), body, { origin: "https://elsewhere.example" })).status).toBe(403);
  expect((await post(at("/page/requests"), body, { "content-type": "text/plain" })).status).toBe(415);
  expect((await ask(at("/page/series?run=training&points=9"), { method: "GET", headers: { host: "elsewhere.example" } })).status).toBe(403);
  expect((await askedOf(join(root, "training"))).has("pause")).toBe(false);
  expect((await ask(at("/"), { method: "GET" })).headers["content-security-policy"]).toContain("frame-ancestors 'none'");
  for (const path of ["/assets/%2e%2e/%2e%2e/package.json", "/package.json", "/page/report?id=../x"])
    expect((await ask(at(path), { method: "GET" })).status, path).toBeGreaterThanOrEqual(400);
  for (const path of ["/page/series?run=nothing", "/page/series?run=done&points=1", "/page/series?run=done&points=x", "/page/samples"])
    expect(await ask(at(path), { method: "GET" }), path).toMatchObject({ status: 400, text: expect.stringContaining('"message"') });
});

test("a key that was entered is a cookie that scripts and pages elsewhere do not have", async () => {
  const { url } = guarded();
  const facts = (headers) => ask(`${url}/page/facts`, { method: "GET", headers });
  expect((await facts({})).status).toBe(401);
  expect((await post(`${url}/page/key`, { key: "wrong" })).status).toBe(401);
  const { headers } = await post(`${url}/page/key`, { key: "se cret" });
  const [cookie] = headers["set-cookie"];
  expect(cookie).toMatch(/; HttpOnly; SameSite=Strict$/);
  expect((await facts({ cookie: cookie.split(";")[0] })).status).toBe(200);
  expect((await facts({ cookie: "cria-key=%zz" })).status).toBe(401);
});

test("all of the page weighs less than 300 KB compressed", () => {
  const files = readdirSync(assets, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const bytes = files.reduce((sum, { parentPath, name }) => sum + brotliCompressSync(readFileSync(join(parentPath, name))).length, 0);
  expect(bytes).toBeGreaterThan(10_000);
  expect(bytes).toBeLessThan(300_000);
});
