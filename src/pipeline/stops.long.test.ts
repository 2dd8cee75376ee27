// Runs that are killed at any moment, and runs whose disk is full: the same command goes on to the same bytes.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { withFolder } from "../files/with-folder.test.helper.ts";
import { openJob, openSources, phasesOf, runPhases } from "./index.ts";

const steps = [{ dedupLines: { keep: "first" } }, "gopherRepetition", "dedupNear", "dedupDocuments"];
const source = { name: "web", weight: 1, paths: "*.jsonl", steps };
const sizes = { stretchBytes: 40_000, taskBytes: 20_000 };

/** Documents of lines that stand elsewhere, too. */
async function writeSource(folder: string): Promise<void> {
  const rng = new Rng(21);
  const word = () => rng.below(20_000).toString(36);
  const line = () => Array.from({ length: 4 + rng.below(20) }, word).join(" ");
  const lines = Array.from({ length: 300 }, line);
  const documents = Array.from({ length: 1500 }, () => Array.from({ length: 4 + rng.below(8) }, () => lines[rng.below(4000)] ?? line()));
  for (const [name, from, to] of [["a", 0, 800] as const, ["b", 800, 1500] as const])
    await writeFile(
      join(folder, `${name}.jsonl`),
      documents
        .slice(from, to)
        .map((lines) => `${JSON.stringify({ text: lines.join("\n") })}\n`)
        .join(""),
    );
}

/** All files of a finished job with their contents, but for times and what killed processes were writing. */
async function contents(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !/\.(times\.json|partial)$/.test(entry.name));
  const paths = files.map(({ parentPath, name }) => join(parentPath, name)).sort();
  return Object.fromEntries(await Promise.all(paths.map(async (path) => [path.slice(folder.length), await readFile(path, "base64")])));
}

const program = `
const { openJob, runPhases } = await import(process.argv[1]);
const [folder, work] = process.argv.slice(2);
const { job, sources } = await openJob([${JSON.stringify(source)}], { folder, work, ...${JSON.stringify(sizes)} });
await runPhases(job, { threads: 2 }, sources);
`;

test("killed at any moment of any phase, a run goes on to the same bytes", async () => {
  await withFolder(async (folder) => {
    await writeSource(folder);
    const { job } = await openJob([source], { folder, work: join(folder, "whole"), ...sizes });
    await runPhases(job, { threads: 1 });
    const whole = await contents(job.folder);
    expect(phasesOf(await openSources(job)).map(({ kind }) => kind)).toEqual(
      ["pass", "compare", "pass", "compare", "join", "pass", "compare", "pass"], // one of each kind at least
    );
    // Each run has more time than the one before, about, so that one comes to the end however slow the machine is.
    const rng = new Rng(22);
    const work = join(folder, "killed");
    const args = ["--input-type=module", "-e", program, new URL("./index.js", import.meta.url).href, folder, work];
    const phasesAt = new Set<string>();
    for (let kills = 0; ; kills++) {
      const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
      const ended = once(child, "exit");
      const isOver = await Promise.race([ended.then(() => true), sleep(200 + rng.below(600 * (kills + 2))).then(() => false)]);
      child.kill("SIGKILL");
      const [code] = await ended;
      const names = await readdir(join(work, "web", job.sources[0]!.id)).catch(() => []);
      phasesAt.add(names.sort().join());
      if (isOver) {
        expect(code).toBe(0);
        expect(kills).toBeGreaterThan(3);
        break;
      }
    }
    expect(phasesAt.size).toBeGreaterThan(2);
    expect(await contents(work)).toEqual(whole);
  });
});

const changedProgram = `
const { openJob, runPhases } = await import(process.argv[1]);
const [folder, work, sources] = process.argv.slice(2);
const { job, sources: ready } = await openJob(JSON.parse(sources), { folder, work, ...${JSON.stringify(sizes)} });
await runPhases(job, { threads: 2 }, ready);
`;

test("killed at any moment, with a recipe that changes each time, runs leave nothing that one recipe alone does not make", async () => {
  await withFolder(async (folder) => {
    await writeSource(folder);
    const named = (name: string, steps: Record<string, unknown>[]) => ({ name, weight: 1, paths: "*.jsonl", steps });
    const [lines, documents] = [{ dedupLines: { keep: "first" } }, { dedupDocuments: {} }];
    const recipes = [
      [named("web", [lines]), named("books", [documents])],
      [named("web", [lines]), named("books", [documents, lines])],
      [named("web", [lines, documents])],
    ];
    const start = (work: string, sources: unknown) => {
      const program = ["--input-type=module", "-e", changedProgram, new URL("./index.js", import.meta.url).href];
      return spawn(process.execPath, [...program, folder, work, JSON.stringify(sources)], { stdio: ["ignore", "ignore", "inherit"] });
    };
    const whole: Record<string, string> = {};
    let longest = 0;
    for (const [i, sources] of recipes.entries()) {
      const started = performance.now();
      expect(await once(start(join(folder, `whole-${i}`), sources), "exit")).toEqual([0, null]);
      longest = Math.max(longest, performance.now() - started);
      Object.assign(whole, await contents(join(folder, `whole-${i}`)));
    }
    const rng = new Rng(23);
    const [work, kills] = [join(folder, "killed"), 9];
    await mkdir(work);
    for (let runs = 0; runs < kills + recipes.length; runs++) {
      const child = start(work, recipes[runs % recipes.length]);
      const exit = once(child, "exit");
      if (runs < kills) {
        await Promise.race([exit, sleep(rng.below(longest))]);
        child.kill("SIGKILL");
        await exit;
      } else expect(await exit).toEqual([0, null]);
      const found = await contents(work);
      for (const [path, bytes] of Object.entries(found)) if (path !== "/plan.json") expect(bytes, path).toBe(whole[path]);
    }
    const found = Object.keys(await contents(work));
    expect(found.sort()).toEqual(Object.keys(whole).sort());
  });
});

const isRoot = process.platform === "linux" && process.getuid?.() === 0;

/** Makes a folder a disk of so many bytes, or changes the size of one. */
function mount(folder: string, ...options: readonly string[]): void {
  const { status, stderr } = spawnSync("mount", ["-t", "tmpfs", "-o", options.join(","), "tmpfs", folder], { encoding: "utf8" });
  expect(stderr).toBe("");
  expect(status).toBe(0);
}

test.skipIf(!isRoot)(
  "a full disk stops a run, which goes on to the same bytes when there is space (only root makes small disks)",
  async () => {
    await withFolder(async (folder) => {
      await writeSource(folder);
      const { job } = await openJob([source], { folder, work: join(folder, "whole"), ...sizes });
      await runPhases(job, { threads: 1 });
      const whole = await contents(job.folder);
      const disk = join(folder, "disk");
      await mkdir(disk);
      mount(disk, "size=200k");
      try {
        const small = await openJob([source], { folder, work: join(disk, "work"), ...sizes });
        let stops = 0;
        for (let size = 300; ; size *= 2) {
          const error = await runPhases(small.job, { threads: 1 + (stops % 2) }, small.sources).then(
            () => undefined,
            (reason: unknown) => reason,
          );
          if (error === undefined) break;
          expect(String(error)).toMatch(
            /disk\/work\/web\/.*: the disk is full: free some space and run again; what was there before is intact/,
          );
          stops++;
          mount(disk, "remount", `size=${size}k`);
        }
        expect(stops).toBeGreaterThan(2);
        expect(await contents(small.job.folder)).toEqual(whole);
      } finally {
        spawnSync("umount", [disk]);
      }
    });
  },
);
