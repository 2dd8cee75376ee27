import { execFile } from "node:child_process";
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, describe, expect, test, vi } from "vitest";
import type { CodeStore, StoredCode } from "../backend/cpu/index.ts";
import type { Backend, DeviceBuffer } from "../backend/index.ts";
import { Rng } from "../base/index.ts";
import { exampleValues, f32, Graph, linear, type Tensor } from "../graph/index.ts";
import { avx512, avx512Dots } from "../kernel/index.ts";
import { chooseTarget } from "./choose-target.ts";
import { codeFolderState, openCodeFolder } from "./code-folder.ts";
import { codeFolderPath } from "./code-folder-path.ts";
import { compilerHash, hashOf, rootOf } from "./compiler-hash.ts";
import { openCpuBackend } from "./open-backend.ts";

const root = mkdtempSync(join(tmpdir(), "cria-code-"));
afterAll(() => rmSync(root, { recursive: true }));

let folders = 0;
/** A cache's folder that is not there yet. */
const freshCache = () => join(root, String(folders++));

const kernel = 'add {"count":7}';
const stored: StoredCode = {
  params: ["x", "scratch", "begin", "end"].map((name, id) => ({ name, reg: { kind: "int", id } })),
  units: 3,
  scratchBytes: 64,
  code: Uint8Array.from({ length: 1000 }, (_, i) => (i * 37) & 255),
};

/** A store, what it has warned of, and the file of its only kernel. */
function storeIn(cache: string) {
  const warnings: string[] = [];
  const open = (target = avx512, form = "x64 systemV", hash = "compiler 1") =>
    openCodeFolder(target, form, { codeCache: cache, warn: (message) => warnings.push(message) }, hash)!;
  const entry = () => join(cache, "code", readdirSync(join(cache, "code"))[0]!);
  return { store: open(), open, warnings, entry };
}

/** The same with one kernel kept. */
function filled() {
  const made = storeIn(freshCache());
  made.store.keep(kernel, stored);
  return made;
}

function found(store: CodeStore): StoredCode | undefined {
  const code = store.find(kernel);
  return code && { ...code, code: Uint8Array.from(code.code) };
}

test("what one process keeps another one finds", () => {
  const { store, open, warnings } = filled();
  expect(found(store)).toEqual(stored);
  expect(found(open())).toEqual(stored);
  expect(store.find('add {"count":8}')).toBeUndefined();
  expect(warnings).toEqual([]);
});

test("code for other features, of another convention or by another compiler is not found", () => {
  const { open } = filled();
  expect(found(open(avx512Dots))).toBeUndefined();
  expect(found(open(avx512, "x64 windows"))).toBeUndefined();
  expect(found(open(avx512, "x64 systemV", "compiler 2"))).toBeUndefined();
  expect(found(open())).toEqual(stored);
});

test("an entry under another kernel's name is not taken for it", () => {
  const { store, warnings, entry } = filled();
  const bytes = readFileSync(entry());
  rmSync(entry());
  store.keep('multiply {"count":7}', { ...stored, units: 5 });
  writeFileSync(entry(), bytes);
  expect(store.find('multiply {"count":7}')).toBeUndefined();
  expect(warnings).toHaveLength(1);
});

const damages: Readonly<Record<string, (path: string) => void>> = {
  "cut off in its magic": (path) => truncateSync(path, 5),
  "cut off in its checksum": (path) => truncateSync(path, 20),
  "cut off in its header": (path) => truncateSync(path, 60),
  "cut off in its code": (path) => truncateSync(path, statSync(path).size - 1),
  empty: (path) => truncateSync(path, 0),
  "longer than it was": (path) => writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.of(0)])),
};

describe("a damaged entry is not used, is said once, and is made anew", () => {
  test.each(Object.entries(damages))("%s", (_, damage) => {
    const { store, open, warnings, entry } = filled();
    damage(entry());
    expect(store.find(kernel)).toBeUndefined();
    expect(store.find(kernel)).toBeUndefined();
    expect(warnings).toEqual([expect.stringMatching(/^\[cache\] .* is damaged: its kernel is compiled again$/)]);
    store.keep(kernel, stored);
    expect(found(open())).toEqual(stored);
  });

  test("with any one byte changed", () => {
    const { store, entry } = filled();
    const bytes = readFileSync(entry());
    for (let at = 0; at < bytes.length; at += 7) {
      const changed = Buffer.from(bytes);
      changed[at]! ^= 1 << (at % 8);
      writeFileSync(entry(), changed);
      expect(store.find(kernel), `byte ${at}`).toBeUndefined();
    }
  });
});

const isRoot = process.geteuid?.() === 0;
const hasOwners = process.geteuid !== undefined;
const stranger = 12345;

describe.skipIf(!hasOwners)("what others could have written is not used", () => {
  test("an entry that others may write", () => {
    for (const mode of [0o620, 0o602]) {
      const { store, warnings, entry } = filled();
      chmodSync(entry(), mode);
      expect(store.find(kernel)).toBeUndefined();
      expect(warnings[0]).toMatch(`has mode ${mode.toString(8)}, which lets others in`);
    }
  });

  test("an entry that is a link, a folder or a queue", async () => {
    const makers = [
      (path: string) => symlinkSync(`${path}.real`, path),
      (path: string) => mkdirSync(path),
      (path: string) => promisify(execFile)("mkfifo", [path]),
    ];
    for (const make of makers) {
      const { store, warnings, entry } = filled();
      const path = entry();
      renameSync(path, `${path}.real`);
      await make(path);
      expect(store.find(kernel)).toBeUndefined();
      expect(warnings).toHaveLength(1);
    }
  });

  test("a folder that others may enter, and a link to a folder", () => {
    const { open, warnings, entry } = filled();
    const code = join(entry(), "..");
    chmodSync(code, 0o755);
    expect(open()).toBeUndefined();
    expect(warnings[0]).toMatch(/code has mode 755, which lets others in: delete it, or set CRIA_CACHE to another folder or to off/);
    expect(codeFolderState(code).problem).toMatch("has mode 755");
    chmodSync(code, 0o700);
    renameSync(code, `${code}-elsewhere`);
    symlinkSync(`${code}-elsewhere`, code);
    expect(open()).toBeUndefined();
    expect(warnings[1]).toMatch("is a link or a file, not a folder");
  });

  test("nothing is written into a folder that became another's", () => {
    const { store, entry } = filled();
    const code = join(entry(), "..");
    chmodSync(code, 0o777);
    store.keep('add {"count":9}', stored);
    expect(readdirSync(code)).toHaveLength(1);
  });

  test.skipIf(!isRoot)("an entry or a folder of another user's (tested as root, who can give files away)", () => {
    const { store, open, warnings, entry } = filled();
    chownSync(entry(), stranger, stranger);
    expect(store.find(kernel)).toBeUndefined();
    expect(warnings[0]).toMatch(`belongs to user ${stranger}, not to 0`);
    chownSync(join(entry(), ".."), stranger, stranger);
    expect(open()).toBeUndefined();
    expect(warnings[1]).toMatch(`belongs to user ${stranger}, not to 0`);
  });

  test("the folder and its files are for the user alone", () => {
    const { entry } = filled();
    expect(lstatSync(join(entry(), "..")).mode & 0o777).toBe(0o700);
    expect(lstatSync(entry()).mode & 0o777).toBe(0o600);
  });
});

test("a folder that was deleted meanwhile is made again", () => {
  const { store, entry } = filled();
  rmSync(join(entry(), "..", ".."), { recursive: true });
  expect(store.find(kernel)).toBeUndefined();
  store.keep(kernel, stored);
  expect(found(store)).toEqual(stored);
});

test("where nothing can be written, nothing is kept and nothing fails", () => {
  const cache = freshCache();
  writeFileSync(cache, "a file in the folder's place");
  const warnings: string[] = [];
  expect(openCodeFolder(avx512, "x64", { codeCache: cache, warn: (message) => warnings.push(message) }, "compiler")).toBeUndefined();
  expect(warnings).toHaveLength(1);
});

test.skipIf(process.platform !== "linux")("a place where no folder can be made is given up, and not tried for ever", () => {
  const cache = "/proc/cria-of-nobody";
  const store = openCodeFolder(avx512, "form", { codeCache: cache }, "compiler");
  store?.keep(kernel, stored);
  expect(store?.find(kernel)).toBe(undefined);
  expect(codeFolderState(codeFolderPath(cache))).toMatchObject({ kernels: 0, bytes: 0 });
});

test("beyond its limit the folder loses what was unused longest, and nothing that is not its own", () => {
  const { store, entry } = filled();
  const code = join(entry(), "..");
  const large = Array.from({ length: 20 }, (_, i) => join(code, i.toString(16).padStart(64, "0")));
  large.forEach((path, i) => {
    writeFileSync(path, "");
    truncateSync(path, 2 ** 20); // takes no room on the disk
    utimesSync(path, 1e9 + i, 1e9 + i);
  });
  const unfinished = `${large[0]}.0123456789abcdef`;
  writeFileSync(unfinished, "");
  utimesSync(unfinished, 1e9, 1e9);
  writeFileSync(join(code, "note.txt"), "not ours");
  const { store: another } = storeIn(join(code, ".."));
  another.keep('add {"count":9}', stored);
  const { bytes } = codeFolderState(code);
  expect(bytes).toBeLessThan(0.76 * 16 * 2 ** 20);
  expect(bytes).toBeGreaterThan(0.68 * 16 * 2 ** 20);
  expect(readdirSync(code)).toContain("note.txt");
  expect(found(store)).toEqual(stored);
  expect(lstatSync(large[19]!).size).toBe(2 ** 20);
  expect(readdirSync(code)).not.toContain(unfinished.slice(code.length + 1));
  expect(lstatSync(large[0]!, { throwIfNoEntry: false })).toBeUndefined();
});

test("an entry that is used is young again", () => {
  const { store, entry } = filled();
  utimesSync(entry(), 1e9, 1e9);
  store.find(kernel);
  expect(lstatSync(entry()).mtimeMs).toBeGreaterThan(1.7e12);
});

/** Keeps and finds the same kernels as others do, and fails where it finds what nobody has kept; now and then it deletes everything. */
const busyProcess = `
  import { rmSync } from "node:fs";
  const { openCodeFolder } = await import(process.argv[1]);
  const [cache, seed] = [process.argv[2], Number(process.argv[3])];
  const fail = (message) => { throw new Error(message); };
  const store = openCodeFolder({ name: "t" }, "x64", { codeCache: cache, warn: fail }, "compiler");
  let hits = 0;
  for (let round = 0; round < 400; round++) {
    const number = (round * 7 + seed) % 23;
    const bytes = store.find("k" + number)?.code;
    if (bytes) hits++;
    if (bytes && !(bytes.length === 5000 + number && bytes.every((byte) => byte === number))) fail("found other bytes for " + number);
    store.keep("k" + number, { params: [], units: 1, scratchBytes: 0, code: new Uint8Array(5000 + number).fill(number) });
    if (seed === 0 && round % 100 === 99) try { rmSync(cache, { recursive: true }); } catch { /* others write into it meanwhile */ }
  }
  if (hits === 0) fail("found nothing");
`;

test("processes at the same time never find half a file, also while one of them deletes the folder", async () => {
  const cache = freshCache();
  const module = new URL("./code-folder.js", import.meta.url).href;
  const run = (seed: number) => promisify(execFile)(process.execPath, ["--input-type=module", "-e", busyProcess, module, cache, `${seed}`]);
  await Promise.all([0, 1, 2].map(run));
});

test("the compiler's hash follows what its files hold, and not tests", () => {
  const place = freshCache();
  for (const [file, text] of Object.entries({ "kernel/x64/a.js": "one", "base/b.js": "two", "base/b.test.js": "three" })) {
    mkdirSync(join(place, file, ".."), { recursive: true });
    writeFileSync(join(place, file), text);
  }
  const before = hashOf(place);
  writeFileSync(join(place, "base/b.test.js"), "four");
  expect(hashOf(place)).toBe(before);
  const { atime, mtime } = statSync(join(place, "kernel/x64/a.js"));
  writeFileSync(join(place, "kernel/x64/a.js"), "eno");
  utimesSync(join(place, "kernel/x64/a.js"), atime, mtime);
  expect(hashOf(place)).not.toBe(before);
  expect(hashOf(join(place, "nowhere"))).toBeUndefined();
});

test("CRIA_CACHE is a folder or off; without it there is the system's own place", () => {
  const on = (platform: NodeJS.Platform, env: NodeJS.ProcessEnv) => ({ platform, env });
  for (const off of ["off", "OFF", "Off"]) expect(codeFolderPath(off)).toBeUndefined();
  expect(codeFolderPath("./off")).toBe(resolve("off", "code"));
  expect(codeFolderPath("/some/where")).toBe(resolve("/some/where", "code"));
  expect(codeFolderPath("", on("linux", { XDG_CACHE_HOME: "/c" }))).toBe(join("/c", "cria", "code"));
  expect(codeFolderPath("", on("linux", { XDG_CACHE_HOME: "relative" }))).toMatch(/\.cache.cria.code$/);
  expect(codeFolderPath("", on("darwin", {}))).toMatch(/Library.Caches.cria.code$/);
  expect(codeFolderPath("", on("win32", { LOCALAPPDATA: "C:" }))).toBe(join("C:", "cria", "code"));
  expect(codeFolderPath("", on("win32", {}))).toBeUndefined();
  vi.stubEnv("HOME", "relative");
  vi.stubEnv("USERPROFILE", "relative");
  expect(codeFolderPath("", on("linux", {}))).toBeUndefined();
  vi.unstubAllEnvs();
});

/** y = x · wᵀ on a backend. */
async function product(backend: Backend): Promise<Float32Array> {
  const graph = new Graph();
  const [x, w] = [graph.input("x", f32(5, 33)), graph.input("w", f32(19, 33))];
  const y = graph.keep(linear(x, w));
  const buffers = new Map<Tensor, DeviceBuffer>();
  for (const [i, tensor] of [x, w].entries()) {
    buffers.set(tensor, await backend.allocate(tensor, tensor.name));
    await buffers.get(tensor)!.write(exampleValues(tensor, new Rng(i + 1)));
  }
  const program = await backend.compile(graph, buffers);
  await program.run();
  return (await program.read(y)) as Float32Array;
}

const targets = ["wasm", "avx2", "avx512"];
describe.each(targets)("a backend on %s", async (target) => {
  const obstacle = await chooseTarget(target).then(
    () => undefined,
    (error: Error) => error.message,
  );

  test.skipIf(obstacle !== undefined)("gives the same bits with a cache, without one, and with a damaged one", async () => {
    const cache = freshCache();
    const warnings: string[] = [];
    const run = async (from: string) => {
      await using backend = await openCpuBackend({ target, threads: 1, codeCache: from, warn: (message) => warnings.push(message) });
      return await product(backend);
    };
    const files = () => readdirSync(join(cache, "code")).map((name) => lstatSync(join(cache, "code", name)));
    const without = await run("off");
    expect(await run(cache)).toEqual(without);
    const written = files();
    expect(written.length).toBeGreaterThan(0);
    expect(await run(cache)).toEqual(without);
    expect(files().map(({ ino }) => ino)).toEqual(written.map(({ ino }) => ino)); // found, so not written again
    expect(warnings).toEqual([]);
    for (const name of readdirSync(join(cache, "code"))) truncateSync(join(cache, "code", name), 200);
    expect(await run(cache)).toEqual(without);
    expect(warnings).toHaveLength(1);
    expect(files().map(({ size }) => size)).toEqual(written.map(({ size }) => size)); // whole again
  });
});

test("a module that is not the file it says has no compiler's name: bundles keep no code", () => {
  const own = new URL("./compiler-hash.js", import.meta.url);
  const root = rootOf(own.href)!;
  expect(compilerHash).toBe(hashOf(root));
  expect(rootOf(undefined)).toBeUndefined();
  expect(rootOf(new URL("./code-folder.js", import.meta.url).href)).toBeUndefined();
  const copy = join(freshCache(), "..", "compiler-hash.js");
  // The same name, but another text than what this process runs.
  writeFileSync(copy, readFileSync(own, "utf8").replace("const hash =", "const  hash ="));
  expect(rootOf(pathToFileURL(copy).href)).toBeUndefined();
});
