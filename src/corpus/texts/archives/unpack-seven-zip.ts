// 7z archives, by the package 7z-wasm, which is 7-Zip itself in WebAssembly: a listing, and all files one behind another, which go to a temporary file.
// 7-Zip writes to no file system of ours, so that neither links nor paths of an archive lead anywhere.
import { closeSync, openSync, writeSync } from "node:fs";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import type { SevenZipModule, SevenZipModuleFactory, SevenZipModuleOptions } from "7z-wasm";
import { check, fail } from "../../../base/index.ts";
import { explainIo, readStream } from "../../../files/index.ts";
import { checkGrowth } from "../growth.ts";
import { type Member, type OnMemberNote, refusedName } from "./member.ts";

const mount = "/archive";
const chunkBytes = 1 << 20;
/** What 7-Zip's input and output are. */
type Tell = Pick<SevenZipModuleOptions, "stdin"> & Partial<SevenZipModuleOptions>;

/** The files of an archive on disk. While it is unpacked nothing else runs on this thread. @throws CriaError where the package is not there, or the archive is damaged or encrypted */
export async function* readSevenZip(path: string, name: string, where: string, note: OnMemberNote): AsyncGenerator<Member> {
  const entries = await listed(path, name, where);
  const folder = await mkdtemp(join(tmpdir(), "cria-7z-")).catch((error) => Promise.reject(explainIo(where, tmpdir(), error)));
  try {
    const unpacked = join(folder, "files");
    await unpackAll({ path, name, where }, unpacked, entries);
    let start = 0;
    for (const { path: member, size, isLink } of entries) {
      const refused = isLink ? "link" : refusedName(member);
      if (refused !== undefined) note("left out", refused, member);
      else yield { name: member, bytes: size === 0 ? nothing() : readStream(unpacked, { where, range: { start, end: start + size } }) };
      start += size;
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

interface Entry {
  readonly path: string;
  readonly size: number;
  readonly isLink: boolean;
}

interface Archive {
  readonly path: string;
  readonly name: string;
  readonly where: string;
}

/** The files and links of an archive, in the order in which they are unpacked. */
async function listed(path: string, name: string, where: string): Promise<readonly Entry[]> {
  const lines: string[] = [];
  const archive = { path, name, where };
  const code = await run(archive, ["l", "-slt"], {
    stdin: noAnswer,
    print: (line) => lines.push(line),
    printErr: (line) => lines.push(line),
  });
  const text = lines.join("\n");
  check(code === 0, where, () => `${name}: it is no 7z archive that can be read (${errorIn(text)}): fetch it again`);
  const entries = text.slice(text.indexOf("\n----------\n")).split("\n\n").map(fieldsOf);
  const encrypted = entries.find((entry) => entry.get("Encrypted") === "+");
  check(
    encrypted === undefined,
    where,
    () => `${name}: ${encrypted?.get("Path")} in it is encrypted: unpack it by 7z x, which asks for the password`,
  );
  return entries.flatMap((entry) => {
    const attributes = entry.get("Attributes") ?? "";
    const size = Number(entry.get("Size") ?? "");
    if (!entry.has("Path") || attributes.startsWith("D")) return [];
    return [
      { path: (entry.get("Path") ?? "").replaceAll("\\", "/"), size: Number.isSafeInteger(size) ? size : 0, isLink: / l/.test(attributes) },
    ];
  });
}

function fieldsOf(block: string): ReadonlyMap<string, string> {
  return new Map([...block.matchAll(/^([A-Z][A-Za-z ]*) = (.*)$/gm)].map(([, key = "", value = ""]) => [key, value]));
}

function errorIn(text: string): string {
  return /^ERRORS?:\s*(.*)$/m.exec(text)?.[1] || "7-Zip ends with an error";
}

/** Writes all files one behind another. */
async function unpackAll(archive: Archive, path: string, entries: readonly Entry[]): Promise<void> {
  const { name, where } = archive;
  const total = entries.reduce((sum, { size }) => sum + size, 0);
  checkGrowth({ name, where, packed: (await stat(archive.path)).size, unpacked: total });
  const sink = new Sink(path, total);
  try {
    const code = await run(archive, ["x", "-so", "-y"], { stdin: noAnswer, stdout: (byte) => sink.put(byte), stderr: () => {} });
    sink.flush();
    if (sink.error !== undefined) throw explainIo(where, path, sink.error);
    check(
      code === 0 && sink.bytes === total,
      where,
      () => `${name}: ${sink.bytes} bytes come out of it, but it lists ${total}: it is damaged, fetch it again`,
    );
  } finally {
    sink.close();
  }
}

const noAnswer = (): number => null as unknown as number; // Emscripten's end of input, which its types leave out

/** Bytes one by one, written in chunks. */
class Sink {
  readonly #file: number;
  readonly #chunk = new Uint8Array(chunkBytes);
  readonly #most: number;
  #held = 0;
  bytes = 0;
  /** What writing failed with; 7-Zip would tell of an error of its own. */
  error: unknown;

  constructor(path: string, most: number) {
    [this.#file, this.#most] = [openSync(path, "w"), most];
  }

  put(byte: number): void {
    if (this.bytes >= this.#most) throw new RangeError("more bytes come out of the archive than it lists");
    this.#chunk[this.#held++] = byte;
    this.bytes++;
    if (this.#held === chunkBytes) this.flush();
  }

  flush(): void {
    if (this.error !== undefined) return;
    try {
      for (let done = 0; done < this.#held; ) done += writeSync(this.#file, this.#chunk, done, this.#held - done);
    } catch (error) {
      this.error = error;
      throw error;
    } finally {
      this.#held = 0;
    }
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** Runs 7-Zip on the archive. @returns its exit code, 0 where all is well */
async function run({ path, where, name }: Archive, words: readonly string[], tell: Tell): Promise<number> {
  const sevenZip = await load(name, where, tell);
  sevenZip.FS.mkdir(mount);
  sevenZip.FS.mount(sevenZip.NODEFS, { root: dirname(path) }, mount);
  try {
    return Number(sevenZip.callMain([...words, "-spd", "--", `${mount}/${basename(path)}`]) ?? 0);
  } catch {
    return 2; // Its exceptions are addresses of C++ objects.
  }
}

/** An archive takes two instances, and compiling takes longer than most archives. */
let compiled: Promise<WebAssembly.Module> | undefined;

async function load(name: string, where: string, tell: Tell): Promise<SevenZipModule> {
  const loaded = await import("7z-wasm").catch((cause) =>
    fail(where, `${name}: 7z archives are read by the package 7z-wasm, which is not there: npm install 7z-wasm, or unpack it by 7z x`, {
      cause,
    }),
  );
  const factory = loaded.default as unknown as SevenZipModuleFactory; // its types speak of a module of ES, the package is one of CommonJS
  compiled ??= readFile(createRequire(import.meta.url).resolve("7z-wasm/7zz.wasm")).then((bytes) => WebAssembly.compile(bytes));
  const module = await compiled;
  const instantiateWasm = (imports: WebAssembly.Imports, done: (instance: WebAssembly.Instance) => void) => {
    done(new WebAssembly.Instance(module, imports));
    return {};
  };
  return factory({ ...tell, instantiateWasm } as Tell);
}
