// The examples whose bundlers take long to install: webpack, and Next with its server.
import { execFileSync, spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const model = join(root, "test/fixtures/2026-11-28/run");
const work = mkdtempSync(join(tmpdir(), "cria-examples-"));
afterAll(() => rmSync(work, { recursive: true }));

const run = (path) => execFileSync(process.execPath, [path, model, "The"], { encoding: "utf8" });

/** A copy of an example, with its own packages and cria as a registry would give it. @returns its folder */
function install(example) {
  const folder = join(work, example);
  cpSync(join(root, "examples", example), folder, { recursive: true });
  const path = join(folder, "package.json");
  writeFileSync(path, readFileSync(path, "utf8").replace('"file:../.."', JSON.stringify(`file:${root}`)));
  execFileSync("npm", ["install", "--install-links", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: folder });
  execFileSync("npm", ["run", "build"], { cwd: folder, env: { ...process.env, NEXT_TELEMETRY_DISABLED: "1" } });
  return folder;
}

let webpack, expected;
beforeAll(() => {
  webpack = install("webpack");
  expected = run(join(webpack, "app.mjs"));
  expect(expected).toMatch(/^\S/);
});

test("webpack's program runs", () => expect(run(join(webpack, "dist/app.js"))).toBe(expected));

test("Next's server streams what the model writes", async () => {
  const next = join(install("next"), "node_modules/next/dist/bin/next");
  const env = { ...process.env, CRIA_MODEL: model, NEXT_TELEMETRY_DISABLED: "1" };
  const server = spawn(process.execPath, [next, "start", "-H", "127.0.0.1", "-p", "0"], { cwd: join(work, "next"), env });
  try {
    const address = await addressSaidBy(server);
    expect(await (await fetch(`${address}/generate?prompt=The`)).text()).toBe(expected);
  } finally {
    server.kill();
  }
});

/** The address that a server prints when it listens. */
function addressSaidBy(server) {
  return new Promise((resolve, reject) => {
    let said = "";
    const hear = (chunk) => {
      said += chunk;
      const port = /Local:\s+http:\/\/[^:]+:(\d+)[\s\S]*Ready/.exec(said)?.[1];
      if (port !== undefined) resolve(`http://127.0.0.1:${port}`);
    };
    server.stdout.on("data", hear);
    server.stderr.on("data", hear);
    server.on("exit", (code) => reject(new Error(`the server ended (${code}): ${said}`)));
  });
}
