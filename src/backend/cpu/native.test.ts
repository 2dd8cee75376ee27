import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { cpuFeatures, features } from "./cpu-features.ts";
import { pagePermissions } from "./machine-code.test.helper.ts";
import { openNative } from "./native.ts";

const opened = await openNative();
const here = test.skipIf(opened.native === undefined);
if (!opened.native) console.log(`machine code is not tested: ${opened.why}`);
const native = opened.native!;

const permissions = (address: number) => pagePermissions()?.find(({ start, end }) => start <= address && address < end)?.permissions;

here("code pages can be run and not written, and are gone when unmapped", () => {
  // mov rax, rdi; imul rax, rsi; ret
  const pages = native.mapCode(Uint8Array.of(0x48, 0x89, 0xf8, 0x48, 0x0f, 0xaf, 0xc6, 0xc3));
  expect(native.callableForNumber(pages.address, 2)(6, 7)).toBe(42);
  expect(native.callableForNumber(pages.address, 2)(2 ** 40, 3)).toBe(3 * 2 ** 40);
  if (pagePermissions()) expect(permissions(pages.address)).toBe("r-xp");
  native.unmap(pages);
  expect(permissions(pages.address)).not.toBe("r-xp");
});

here("memory is zero, begins on a huge page, ends where nobody may go on, and copies in and out", () => {
  const pages = native.reserve(5_000_000);
  expect(pages.address % 2 ** 21).toBe(0);
  expect(pages.bytes).toBeGreaterThanOrEqual(5_000_000);
  native.commit({ ...pages, bytes: 4096 });
  if (pagePermissions()) expect([pages.address, pages.address + 4096].map(permissions)).toEqual(["rw-p", "---p"]);
  const values = Float32Array.of(1, -2, 3.5);
  native.write(pages.address + 4, values.subarray(1));
  const back = new Float32Array(4);
  native.read(pages.address, back);
  expect([...back]).toEqual([0, -2, 3.5, 0]);
  const shared = new Float32Array(new SharedArrayBuffer(8));
  native.read(pages.address + 4, shared);
  expect([...shared]).toEqual([-2, 3.5]);
  native.clear(pages.address, 8);
  native.read(pages.address, back);
  expect([...back]).toEqual([0, 0, 3.5, 0]);
  native.unmap(pages);
});

here("a map that cannot be is refused with its size", () => {
  expect(() => native.reserve(2 ** 50)).toThrow(/\[cpu\] the system refuses to map \d+ bytes \(errno 12\)/);
});

test.skipIf(native === undefined || !existsSync("/proc/cpuinfo"))("features are those that the kernel sees", () => {
  const flags = new Set(/^flags\s*:(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))![1]!.trim().split(" "));
  const found = cpuFeatures(native);
  for (const name of ["avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512_bf16", "avx512_vnni"] as const)
    expect(found.has(name), name).toBe(flags.has(name));
});

test("a feature counts only where the system keeps its registers and CPUID has its leaf", () => {
  const all = 0xffff_ffff;
  const cpuid = (highestLeaf: number, highestSubleaf: number) => (leaf: number, subleaf: number) => {
    if (leaf === 0) return { eax: highestLeaf };
    return { eax: leaf === 7 && subleaf === 0 ? highestSubleaf : all, ebx: all, ecx: all };
  };
  expect(features(cpuid(7, 1), () => 0xe6).size).toBe(9);
  expect([...features(cpuid(7, 1), () => 0x06)]).toEqual(["avx2", "fma", "f16c"]);
  expect(features(cpuid(7, 1), () => 0x02).size).toBe(0);
  expect(features(cpuid(7, 0), () => 0xe6).has("avx512_bf16")).toBe(false);
  expect([...features(cpuid(6, 0), () => 0xe6)]).toEqual(["fma", "f16c"]);
  const withoutXsave = (leaf: number, subleaf: number) => ({ ...cpuid(7, 1)(leaf, subleaf), ...(leaf === 1 && { ecx: all ^ (1 << 27) }) });
  const notAllowed = () => expect.fail("XGETBV faults where the system has not turned it on");
  expect(features(withoutXsave, notAllowed).size).toBe(0);
});

test("where machine code cannot be loaded, there is a reason and no error", async () => {
  const missing = () => Promise.reject(new Error("Cannot find package 'koffi'\nImported from somewhere"));
  const linux = { platform: "linux", arch: "x64" };
  expect(await openNative(missing, linux)).toEqual({
    why: "the package koffi, which calls machine code, cannot be used (Cannot find package 'koffi'): npm install koffi",
  });
  expect(await openNative(undefined, { platform: "linux", arch: "arm64" })).toEqual({
    why: "there are machine code targets for x64 only, this is arm64",
  });
  expect(await openNative(undefined, { platform: "win32", arch: "x64" })).toMatchObject({ why: expect.stringContaining("win32") });
  const answers: Record<string, number> = { mmap: 4096, mprotect: -1 };
  const policy = {
    load: () => ({ func: (name: string) => () => answers[name] ?? 0 }),
    proto: () => ({}),
    decode: () => () => undefined,
    errno: () => 13,
  };
  expect(await openNative(async () => policy, linux)).toEqual({
    why: "the system refuses to make pages executable (errno 13): a security policy forbids it",
  });
});
