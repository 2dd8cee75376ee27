import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, open, readFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { DeviceBuffer } from "../backend/index.ts";
import { isQuantised, Rng } from "../base/index.ts";
import { accumulate, embedding, exampleBytes, f32, Graph, i32, linear, type Tensor } from "../graph/index.ts";
import { chooseTarget } from "./choose-target.ts";
import { openCpuBackend } from "./open-backend.ts";

const isNative = (await chooseTarget("")).machine !== undefined && process.platform !== "win32";
const here = test.skipIf(!isNative);
if (!isNative) console.log("mapping files is not tested: there is no machine code here, or this is Windows, where files are read");

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-map-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** A file of these numbers or bytes behind a header of so many bytes, open for reading. */
async function fileOf(values: Float32Array | Uint8Array, headerBytes: number) {
  const path = join(folder, `${Math.random()}.bin`);
  await writeFile(path, Buffer.concat([Buffer.alloc(headerBytes, 0xff), Buffer.from(values.buffer, values.byteOffset, values.byteLength)]));
  const handle = await open(path, "r");
  const region = { name: path, descriptor: handle.fd, start: headerBytes, bytes: values.byteLength };
  return { path, region, [Symbol.asyncDispose]: () => handle.close() };
}

const mapsOf = (path: string) => readFileSync("/proc/self/maps", "utf8").split(path).length - 1;

const [rows, columns] = [37, 129];
const weights = Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i));
const input = Float32Array.from({ length: 3 * columns }, (_, i) => Math.cos(i));

async function product(source: "read" | "mapped", headerBytes: number) {
  await using file = await fileOf(weights, headerBytes);
  await using backend = await openCpuBackend({ threads: 2 });
  const graph = new Graph();
  const x = graph.input("x", f32(3, columns));
  const w = graph.state("w", f32(rows, columns));
  const y = linear(x, w);
  graph.keep(y);
  const wBuffer = source === "mapped" ? await backend.map!(w, "w", file.region) : await backend.allocate(w, "w");
  expect(wBuffer).toBeDefined();
  if (source === "read") await wBuffer!.write(weights);
  const xBuffer = await backend.allocate(x, "x");
  await xBuffer.write(input);
  const program = await backend.compile(
    graph,
    new Map([
      [x, xBuffer],
      [w, wBuffer!],
    ]),
  );
  await program.run();
  return [...(await program.read(y))];
}

here.each([0, 4, 4092, 4100, 123_456])(
  "a product with weights behind %i bytes of a file is that with weights that were written",
  async (headerBytes) => {
    expect(await product("mapped", headerBytes)).toEqual(await product("read", headerBytes));
  },
);

here.each(["f32", "bf16", "f16", "q8_0", "q3_K"] as const)(
  "weights of %s are mapped at any byte: products, lookups and what is read are those of weights that were written",
  async (dtype) => {
    const type = { dtype, shape: [rows, 256] };
    const bytes = exampleBytes(type, new Rng(3));
    await using file = await fileOf(bytes, 4097);
    await using backend = await openCpuBackend({ threads: 2 });
    const results = async (weight: DeviceBuffer) => {
      const graph = new Graph();
      const [x, tokens, w] = [graph.input("x", f32(3, 256)), graph.input("tokens", i32(2)), graph.weight("w", type)];
      const made = [linear(x, w), ...(isQuantised(dtype) ? [linear(x, w, "int8")] : []), embedding(w, tokens)].map((y) => graph.keep(y));
      const [xBuffer, tokenBuffer] = [await backend.allocate(x, "x"), await backend.allocate(tokens, "tokens")];
      await xBuffer.write(Float32Array.from({ length: 3 * 256 }, (_, i) => Math.cos(i)));
      await tokenBuffer.write([36, 7]);
      const bindings = new Map<Tensor, DeviceBuffer>([
        [x, xBuffer],
        [tokens, tokenBuffer],
        [w, weight],
      ]);
      const program = await backend.compile(graph, bindings);
      await program.run();
      return [...(await Promise.all(made.map((y) => program.read(y)))), await weight.read()];
    };
    const written = await backend.allocate(type, "written");
    await written.write(dtype === "f32" ? new Float32Array(bytes.slice().buffer) : bytes);
    expect(await results((await backend.map!(type, "mapped", file.region))!)).toEqual(await results(written));
  },
);

here("writes stay in the buffer, the file may be closed and replaced, and dispose unmaps it", async () => {
  await using backend = await openCpuBackend({ threads: 1 });
  const file = await fileOf(weights, 64);
  const [buffer, other] = [0, 1].map(() => backend.map!(f32(rows, columns), "w", file.region));
  await Promise.all([buffer, other]);
  await file[Symbol.asyncDispose]();
  const before = await readFile(file.path);
  await (await buffer)!.write([5, 6], 10);
  expect(await readFile(file.path)).toEqual(before);
  await writeFile(`${file.path}.new`, "another");
  await rename(`${file.path}.new`, file.path);
  expect([...(await (await buffer)!.read(9, 4))]).toEqual([weights[9], 5, 6, weights[12]]);
  expect(await (await other)!.read()).toEqual(weights);
  if (existsSync("/proc/self/maps")) expect(mapsOf(file.path)).toBe(2);
  (await buffer)!.dispose();
  await expect((await buffer)!.read()).rejects.toThrow('buffer "w" was disposed');
  await backend.dispose();
  if (existsSync("/proc/self/maps")) expect(mapsOf(file.path)).toBe(0);
});

here("a region that is not the buffer's, or that the file no longer has, is refused", async () => {
  await using backend = await openCpuBackend({ threads: 1 });
  await using file = await fileOf(weights, 8);
  const map = (region: object) => backend.map!(f32(rows, columns), "w", { ...file.region, ...region });
  await expect(map({ bytes: 4 })).rejects.toThrow(`[cpu] buffer "w" has ${weights.byteLength} bytes, but its region of ${file.path} 4`);
  await truncate(file.path, 5000);
  await expect(map({})).rejects.toThrow(
    `[cpu] ${file.path}: a tensor ends at byte ${8 + weights.byteLength} but the file has 5000: another program shortened it`,
  );
});

// Linux alone says what of a process's memory is its own.
test.skipIf(!isNative || !existsSync("/proc/self/smaps_rollup"))("mapped weights take no memory of the process's own", async () => {
  const bytes = 2 ** 27;
  const path = join(folder, "large.bin");
  await writeFile(path, "");
  await truncate(path, bytes);
  const handle = await open(path, "r");
  await using backend = await openCpuBackend({ threads: 1 });
  const own = () => Number(/^Anonymous:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/smaps_rollup", "utf8"))![1]) * 1024;
  const before = own();
  const buffer = await backend.map!(f32(bytes / 4), "w", { name: path, descriptor: handle.fd, start: 0, bytes });
  await handle.close();
  const piece = 2 ** 18;
  for (let at = 0; at < bytes / 4; at += piece) await buffer!.read(at, piece);
  // A copy would be 134 MB; what is read here, piece by piece, 1 MB each, is the collector's.
  expect(own() - before).toBeLessThan(100e6);
  buffer!.dispose();
});

test.skipIf(!isNative || !existsSync("/proc/self/smaps"))("a mapped weight that was packed takes no memory beside its panels", async () => {
  const shape = [512, 512];
  const bytes = shape[0]! * shape[1]! * 2;
  const path = join(folder, "weight.bin");
  const elements = Uint16Array.from({ length: bytes / 2 }, (_, i) => 0x3f80 + (i % 37));
  await writeFile(path, elements);
  const handle = await open(path, "r");
  await using backend = await openCpuBackend({ threads: 1 });
  const graph = new Graph();
  const [x, w] = [graph.input("x", f32(1, shape[1]!)), graph.weight("w", { dtype: "bf16", shape })];
  const y = graph.keep(linear(x, w));
  const [xBuffer, buffer] = [
    await backend.allocate(x, "x"),
    await backend.map!(w, "w", { name: path, descriptor: handle.fd, start: 0, bytes }),
  ];
  await handle.close();
  const resident = () => {
    const entry = readFileSync("/proc/self/smaps", "utf8").split(path)[1]!;
    return Number(/^Rss:\s+(\d+) kB$/m.exec(entry)![1]) * 1024;
  };
  const holdsTheFile = async () => Buffer.from((await buffer!.read()) as Uint8Array).equals(Buffer.from(elements.buffer));
  expect(await holdsTheFile()).toBe(true);
  expect(resident()).toBe(bytes);
  const bindings = new Map([
    [x, xBuffer],
    [w, buffer!],
  ]);
  await xBuffer.write(Float32Array.from({ length: shape[1]! }, (_, i) => Math.cos(i)));
  const program = await backend.compile(graph, bindings);
  await program.run();
  expect(resident()).toBe(0);
  const before = await program.read(y);
  expect(await holdsTheFile()).toBe(true);
  // What was written is this buffer's alone: it is packed anew, and may not be dropped for what the file has.
  await buffer!.write(new Uint8Array(2 * shape[1]!), 0);
  await program.run();
  const after = await program.read(y);
  expect(after[0]).toBe(0);
  expect(after.slice(1)).toEqual(before.slice(1));
  expect((await buffer!.read(0, 2)) as Uint8Array).toEqual(new Uint8Array(2));
  expect((await buffer!.read(2 * shape[1]!, 2)) as Uint8Array).toEqual(
    new Uint8Array(elements.buffer).slice(2 * shape[1]!, 2 * shape[1]! + 2),
  );
});

here("what a program has written into a mapped buffer is not given back when it is packed", async () => {
  await using file = await fileOf(weights, 0);
  await using backend = await openCpuBackend({ threads: 1 });
  const adding = new Graph();
  const [total, more] = [adding.state("w", f32(rows, columns)), adding.input("more", f32(rows, columns))];
  accumulate(total, more);
  const reading = new Graph();
  const [x, w] = [reading.input("x", f32(3, columns)), reading.weight("w", f32(rows, columns))];
  reading.keep(linear(x, w));
  const [buffer, moreBuffer, xBuffer] = [
    await backend.map!(w, "w", file.region),
    await backend.allocate(more, "more"),
    await backend.allocate(x, "x"),
  ];
  await moreBuffer.write(weights);
  await xBuffer.write(input);
  const first = await backend.compile(
    adding,
    new Map([
      [total, buffer!],
      [more, moreBuffer],
    ]),
  );
  await first.run();
  const second = await backend.compile(
    reading,
    new Map([
      [x, xBuffer],
      [w, buffer!],
    ]),
  );
  await second.run();
  expect(await buffer!.read()).toEqual(weights.map((value) => 2 * value));
});

test("on WebAssembly files are read", async () => {
  await using backend = await openCpuBackend({ target: "wasm", threads: 1 });
  expect(backend.map).toBeUndefined();
});
