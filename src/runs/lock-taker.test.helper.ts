// A program that takes locks when it is told to, for tests with several of them: node lock-taker.test.helper.js, over Node's messages.
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { lockRun, type RunLock } from "./run-lock.ts";

export type Order =
  /** Takes the lock and keeps it until it is told to release it. */
  | { readonly order: "take"; readonly folder: string }
  | { readonly order: "release" }
  /** Takes it and gives it back again and again; every third time it leaves the lock as if it had been killed, the process `dead`. */
  | { readonly order: "churn"; readonly folder: string; readonly times: number; readonly dead: number };

/** "held" and "refused" answer "take"; "free" answers "release"; a number, how often it held the lock, answers "churn"; other text is what went wrong. */
export type Report = string | number;

let lock: RunLock | undefined;

process.on("message", (order: Order) => {
  void obey(order)
    .catch((error) => String(error))
    .then((report) => process.send!(report));
});

async function obey(order: Order): Promise<Report> {
  if (order.order === "take") return take(order.folder);
  if (order.order === "churn") return churn(order);
  await lock?.[Symbol.asyncDispose]();
  return "free";
}

async function take(folder: string): Promise<Report> {
  lock = undefined;
  try {
    lock = await lockRun(folder);
    return "held";
  } catch (error) {
    if (/trains in it|just began/.test(String(error))) return "refused";
    throw error;
  }
}

async function churn({ folder, times, dead }: Order & { order: "churn" }): Promise<Report> {
  let held = 0;
  for (let i = 0; i < times; i++) {
    if ((await take(folder)) === "refused") continue;
    held++;
    await writeFile(join(folder, "holder"), "", { flag: "wx" }); // fails while another one holds it too
    await sleep(Math.random());
    await rm(join(folder, "holder"));
    if (held % 3 === 0) await leave(dead);
    else await lock![Symbol.asyncDispose]();
  }
  return held;
}

/** Stops as a kill does: nothing is released, and the lock's owner is a process that is gone. */
async function leave(pid: number): Promise<void> {
  const owner = JSON.parse(await readFile(lock!.path, "utf8")) as object;
  await writeFile(lock!.path, JSON.stringify({ ...owner, pid, started: undefined }));
}
