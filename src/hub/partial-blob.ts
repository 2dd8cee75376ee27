// The part of a file that was downloaded already: one download at a time writes it, and the next one goes on with it, however the first ended.
import { rename, rm, stat, writeFile } from "node:fs/promises";
import { explainIo, findPartials, partialPath } from "../files/index.ts";
import { pause } from "./pause.ts";

/** Milliseconds between two looks at what another process downloads, about, and after which one that adds nothing is no longer waited for. */
const [lookEvery, longestStall] = [100, 60_000];

/** A partial that this download alone writes. */
export interface ClaimedPartial {
  readonly path: string;
  /** Bytes that are there. */
  readonly bytes: number;
}

/**
 * Takes what an earlier download of the file left, or begins anew. Who wants to write makes a file of its own, and writes when nobody else's stands there
 * then; else it takes its file away. Of two that both went on, the one whose file came later would have seen the other's.
 * @param stalled partials of others that do not count
 * @returns undefined where another process is at it, or was about to be
 */
export async function claimPartial(path: string, stalled: readonly string[] = []): Promise<ClaimedPartial | undefined> {
  const own = partialPath(path);
  if (await isAnybodyAt(path, stalled)) return undefined;
  await writeFile(own, "", { flag: "wx" }).catch((error) => {
    throw explainIo("hub", own, error);
  });
  if (await isAnybodyAt(path, [...stalled, own])) {
    await rm(own, { force: true });
    return undefined;
  }
  const [largest, ...smaller] = await leftParts(path);
  for (const part of smaller) await rm(part.path, { force: true });
  if (largest !== undefined) await rename(largest.path, own).catch(() => undefined); // else it begins anew
  return { path: own, bytes: await sizeOf(own) };
}

/** Leaves what is there for the next download. */
export async function releasePartial(path: string, own: string): Promise<void> {
  if ((await sizeOf(own)) > 0) await rename(own, keptPath(path)).catch(() => undefined);
  else await rm(own, { force: true });
}

/**
 * Waits while other processes of this machine download the file.
 * @returns the partials of those that have added nothing for a minute
 */
export async function whileOthersDownload(
  path: string,
  signal: AbortSignal | undefined,
  onBytes: (bytes: number) => void,
): Promise<readonly string[]> {
  let [seen, since] = [-1, performance.now()];
  for (;;) {
    await pause(lookEvery * (0.5 + Math.random()), signal); // two that gave way to each other do not come back at once
    const others = await othersAt(path, []);
    const most = Math.max(-1, ...others.map(({ bytes }) => bytes));
    if (most < 0) return [];
    if (most > seen) [seen, since] = [most, performance.now()];
    if (performance.now() - since > longestStall) return others.map((other) => other.path);
    onBytes(most);
  }
}

/** The name of what an ended download left on purpose; what a killed one left has its process's name. */
function keptPath(path: string): string {
  return `${path}.partial`;
}

/** Bytes of the largest part that nobody writes. */
export async function bytesLeft(path: string): Promise<number> {
  return (await leftParts(path))[0]?.bytes ?? 0;
}

/** The parts that nobody writes, the largest first. */
async function leftParts(path: string): Promise<ClaimedPartial[]> {
  const ended = (await findPartials(path)).filter(({ isEnded }) => isEnded).map((one) => one.path);
  const left = await Promise.all([keptPath(path), ...ended].map(async (one) => ({ path: one, bytes: await sizeOf(one) })));
  return left.filter(({ bytes }) => bytes > 0).toSorted((a, b) => b.bytes - a.bytes);
}

async function isAnybodyAt(path: string, without: readonly string[]): Promise<boolean> {
  return (await othersAt(path, without)).length > 0;
}

async function othersAt(path: string, without: readonly string[]): Promise<ClaimedPartial[]> {
  const running = (await findPartials(path)).filter((one) => one.isRunning && !without.includes(one.path));
  return Promise.all(running.map(async (one) => ({ path: one.path, bytes: await sizeOf(one.path) })));
}

/** 0 for what is not there. */
function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}
