// The program itself, as a shell starts it.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { packageRoot, packageVersion } from "./package-root.ts";

const main = join(packageRoot, "dist", "cli", "main.js");

function cria(args: readonly string[], env: Record<string, string> = {}): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], { env: { ...process.env, ...env } }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

test("version, help and wrong use", async () => {
  const [version, help, wrong] = await Promise.all([cria(["--version"]), cria(["--help"]), cria(["docter"])]);
  expect(version).toEqual({ code: 0, stdout: `${packageVersion()}\n`, stderr: "" });
  expect(help).toMatchObject({ code: 0, stderr: "" });
  expect(help.stdout).toContain("doctor");
  expect(wrong).toEqual({ code: 2, stdout: "", stderr: '[cria] unknown command "docter", did you mean "doctor"?\n' });
});

test("doctor speaks to people and to programs", async () => {
  const cache = mkdtempSync(join(tmpdir(), "cria-doctor-"));
  const [text, json, unknown] = await Promise.all([
    cria(["doctor"]),
    cria(["doctor", "--json"], { CRIA_CACHE: cache }),
    cria(["doctor", "--json"], { CRIA_TARGET: "wsam" }),
  ]);
  expect(text).toMatchObject({ code: 0, stderr: "" });
  expect(text.stdout).toContain("everything cria needs is here");
  const report = JSON.parse(json.stdout);
  expect(report).toMatchObject({ cria: packageVersion(), node: process.versions.node, simd: true, problems: [] });
  expect(report.cache).toBe(join(cache, "code"));
  rmSync(cache, { recursive: true });
  expect(text.stdout).toMatch(/^cache +none: CRIA_CACHE is off$/m);
  expect(report.threads).toBeGreaterThan(0);
  expect(report.matmul).toBeGreaterThan(0);
  const counts = report.threads === 1 ? [1] : [1, report.threads];
  for (const rows of [report.peak, report.bandwidth]) expect(rows.map(({ threads }: { threads: number }) => threads)).toEqual(counts);
  for (const rates of [...report.peak, ...report.bandwidth]) for (const rate of Object.values(rates)) expect(rate).toBeGreaterThan(0);
  expect(unknown.code).toBe(2);
  expect(JSON.parse(unknown.stdout).error.message).toBe('[cpu] CRIA_TARGET is "wsam", did you mean "wasm"?');
});

test("a reader that leaves early is no error to be told, and the exit code is that of the field's programs", async () => {
  const child = spawn(process.execPath, [main, "--help"], { stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.destroy();
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const code = await new Promise((resolve) => child.on("close", resolve));
  expect({ code, stderr }).toEqual({ code: 141, stderr: "" });
});

test.skipIf(process.platform === "win32")("a signal ends the wait for a reader that takes nothing, and the exit code says so", async () => {
  const tokenizer = join(packageRoot, "test", "fixtures", "2026-11-28", "bytes.json");
  const child = spawn(process.execPath, [main, "tokenizer", "encode", tokenizer, "-"], { stdio: ["pipe", "pipe", "ignore"] });
  child.stdin.on("error", () => {}); // The program ends before it has read all.
  child.stdin.end("a b c d e ".repeat(100_000));
  const ended = once(child, "exit");
  await once(child.stdout, "readable"); // and nobody reads it
  child.kill("SIGTERM");
  expect(await ended).toEqual([143, null]);
  child.stdout.destroy();
});

test.skipIf(process.platform === "win32")(
  "a shell sees 141 behind a pipe that closed, 2 also without a stderr, and the text that was read",
  async () => {
    const shell = (line: string) =>
      new Promise((resolve) => execFile("bash", ["-c", line], (_, stdout, stderr) => resolve({ stdout, stderr })));
    const program = `"${process.execPath}" "${main}"`;
    const [cut, silent, full] = await Promise.all([
      shell(`${program} doctor --help | sed 1q >/dev/null; echo $((\${PIPESTATUS[0]} == 0 || \${PIPESTATUS[0]} == 141))`),
      shell(`${program} docter 2>&-; echo $?`),
      shell(`${program} --help >/dev/full; echo $?`),
    ]);
    expect(cut).toMatchObject({ stderr: "" });
    expect(silent).toEqual({ stdout: "2\n", stderr: "" });
    if (process.platform === "linux")
      expect(full).toEqual({ stdout: "1\n", stderr: expect.stringMatching(/^\[cria\] stdout: the disk is full/) });
  },
);

/** A program that waits for the signal, takes `savingMs` to save, then ends with 7; `ready` on stdout says that it may be signalled. */
async function interruptible(savingMs: number) {
  const module = pathToFileURL(join(packageRoot, "dist", "cli", "interrupt.js")).href;
  const code = `
    const { abortOnSignals } = await import(${JSON.stringify(module)});
    const stop = new AbortController();
    const { signal } = stop;
    abortOnSignals(stop, () => console.log("first"));
    const alive = setInterval(() => {}, 1000);
    signal.addEventListener("abort", () => setTimeout(() => process.exit(signal.reason.exitCode === 130 ? 7 : 8), ${savingMs}));
    console.log("ready");`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", code], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  const said = (word: string) =>
    new Promise<void>((resolve) => child.stdout.on("data", (chunk) => String(chunk).includes(word) && resolve()));
  await said("ready");
  return { child, ended, said };
}

test.skipIf(process.platform === "win32")("Ctrl-C lets work save, twice at once counts once, a later one quits", async () => {
  const patient = await interruptible(200);
  patient.child.kill("SIGINT");
  patient.child.kill("SIGINT");
  expect(await patient.ended).toBe(7);

  const stuck = await interruptible(60_000);
  stuck.child.kill("SIGINT");
  await stuck.said("first");
  await new Promise((resolve) => setTimeout(resolve, 700));
  stuck.child.kill("SIGINT");
  expect(await stuck.ended).toBe(130);
});
