import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { cutEverywhere, openKitchen } from "./cut-short.test.helper.ts";

const main = fileURLToPath(new URL("./main.js", import.meta.url));

test("wherever a run is cut short while its folder is made, the same command goes on, and so does --resume", async () => {
  expect(await cutEverywhere(1, true)).toBeGreaterThan(12);
});

test("killed at any moment, a run goes on by the same command, or by --resume once it has saved", async () => {
  await using kitchen = await openKitchen();
  const { out, words } = kitchen;
  const start = (...more: string[]) => spawn(process.execPath, [main, ...words, ...more], { stdio: "ignore" });
  const whole = start();
  await once(whole, "exit");
  const names = (await readdir(out, { recursive: true })).sort();
  const rng = new Rng(3);
  for (let round = 0; round < 60; round++) {
    await rm(out, { recursive: true, force: true });
    const child = start();
    const ended = once(child, "exit");
    await sleep(150 + rng.below(600));
    child.kill("SIGKILL");
    await ended;
    const isSaved = (await readdir(out, { recursive: true }).catch(() => [])).some((name) => /step-\d+$/.test(name));
    const [code] = await once(start(...(isSaved ? ["--resume"] : [])), "exit");
    expect(code).toBe(0);
    expect((await readdir(out, { recursive: true })).sort()).toEqual(names);
  }
});
