import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { windowsThunk } from "../kernel/x64/windows-thunk.test.helper.ts";
import { cpuFeatures, features } from "./cpu-features.ts";
import { pagePermissions } from "./machine-code.test.helper.ts";
import { openNative, type Pages, systems } from "./native.ts";

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

here("CPUID's code for Windows finds the same features", () => {
  const convention = "windows" as const;
  const thunks: Pages[] = [];
  const callableForNumber = (address: number, params: number) => {
    thunks.push(native.mapCode(windowsThunk(params, address)));
    return native.callableForNumber(thunks.at(-1)!.address, params);
  };
  expect([...cpuFeatures({ ...native, convention, callableForNumber })]).toEqual([...cpuFeatures(native)]);
  for (const pages of thunks) native.unmap(pages);
});

test("where machine code cannot be loaded, there is a reason and no error", async () => {
  const linux = { platform: "linux", arch: "x64" };
  const missing = Object.assign(new Error("Cannot find package 'koffi'"), { code: "ERR_MODULE_NOT_FOUND" });
  expect(await openNative(() => Promise.reject(missing), linux)).toEqual({
    why: "the package koffi, which calls machine code, is not installed (npm install koffi)",
  });
  const broken = new Error("Cannot find the native Koffi module\nlooked in many places");
  expect(await openNative(() => Promise.reject(broken), linux)).toEqual({
    why: "the package koffi, which calls machine code, does not work here (Cannot find the native Koffi module)",
  });
  expect(await openNative(undefined, { platform: "linux", arch: "arm64" })).toEqual({
    why: "there are machine code targets for x64 only, this is arm64",
  });
  expect(await openNative(undefined, { platform: "sunos", arch: "x64" })).toEqual({
    why: "machine code is loaded on linux, darwin, win32 only, this is sunos",
  });
});

/** A system that only takes note: functions answer what they are told to, else 0. */
function fakeKoffi(answers: Readonly<Record<string, number>>) {
  const calls: unknown[][] = [];
  const libraries: (string | null)[] = [];
  const koffi = {
    load: (library: string | null) => {
      libraries.push(library);
      return {
        func:
          (name: string, _result: string, params: readonly string[]) =>
          (...args: unknown[]) => {
            expect(args.length, name).toBe(params.length);
            calls.push([name, ...args]);
            return answers[name] ?? 0;
          },
      };
    },
    proto: () => ({}),
    decode: (address: number) => () => void calls.push(["call", address]),
    errno: () => 13,
  };
  return { open: async () => koffi, calls, libraries };
}

const returning = Uint8Array.of(0xc3);

test.each([
  { platform: "linux", mapFlags: 0x22, reserveFlags: 0x4022, fileFlags: 0x4002 },
  { platform: "darwin", mapFlags: 0x1002, reserveFlags: 0x1042, fileFlags: 0x42 },
])("$platform: code by mmap and mprotect", async ({ platform, mapFlags, reserveFlags, fileFlags }) => {
  const { open, calls, libraries } = fakeKoffi({ mmap: 0x10_0000 });
  const { native: fake } = await openNative(open, { platform, arch: "x64" });
  expect(libraries).toEqual([null]);
  expect(fake!.convention).toBe("systemV");
  expect(calls.splice(0)).toEqual([
    ["mmap", 0, 4096, 3, mapFlags, -1, 0],
    ["memcpy", 0x10_0000, returning, 1],
    ["mprotect", 0x10_0000, 4096, 5],
    ["call", 0x10_0000],
    ["munmap", 0x10_0000, 4096],
  ]);
  expect(fake!.reserve(5000)).toEqual({ address: 0x20_0000, bytes: 0x20_0000 });
  expect(calls.splice(0)).toEqual([
    ["mmap", 0, 0x40_0000, 0, reserveFlags, -1, 0],
    ["munmap", 0x10_0000, 0x10_0000],
    ["munmap", 0x40_0000, 0x10_0000],
    ...(platform === "linux" ? [["madvise", 0x20_0000, 0x20_0000, 14]] : []),
  ]);
  const descriptor = openSync(process.execPath, "r");
  expect(fake!.mapFile!({ name: "node", descriptor, start: 4096, bytes: 5000 })).toEqual({ address: 0x10_0000, bytes: 5000 });
  closeSync(descriptor);
  expect(calls).toEqual([["mmap", 0, 5000, 3, fileFlags, descriptor, 4096]]);
});

test("Windows: code and memory by VirtualAlloc and its family", async () => {
  const { open, calls, libraries } = fakeKoffi({ VirtualAlloc: 0x20_0000, VirtualProtect: 1, VirtualFree: 1 });
  const { native: fake } = await openNative(open, { platform: "win32", arch: "x64" });
  expect(libraries).toEqual(["kernel32.dll"]);
  expect(fake!.convention).toBe("windows");
  expect(calls.splice(0)).toEqual([
    ["VirtualAlloc", 0, 4096, 0x3000, 0x04],
    ["RtlMoveMemory", 0x20_0000, returning, 1],
    ["VirtualProtect", 0x20_0000, 4096, 0x20, new Uint32Array(1)],
    ["FlushInstructionCache", -1, 0x20_0000, 4096],
    ["call", 0x20_0000],
    ["VirtualFree", 0x20_0000, 0, 0x8000],
  ]);
  expect(fake!.mapFile).toBeUndefined();
  const pages = fake!.reserve(5000);
  expect(pages).toEqual({ address: 0x20_0000, bytes: 8192 });
  fake!.commit({ ...pages, bytes: 4096 });
  const bytes = new Uint8Array(3);
  fake!.write(pages.address, bytes);
  fake!.read(pages.address, bytes);
  fake!.clear(pages.address, 64);
  fake!.unmap(pages);
  expect(calls).toEqual([
    ["VirtualAlloc", 0, 8192, 0x2000, 0x01],
    ["VirtualAlloc", 0x20_0000, 4096, 0x1000, 0x04],
    ["RtlMoveMemory", 0x20_0000, bytes, 3],
    ["RtlMoveMemory", bytes, 0x20_0000, 3],
    ["RtlZeroMemory", 0x20_0000, 64],
    ["VirtualFree", 0x20_0000, 0, 0x8000],
  ]);
});

test.each([
  ["linux", { mmap: 0x10_0000, mprotect: -1 }, "munmap", "errno 13"],
  ["darwin", { mmap: 0x10_0000, mprotect: -1 }, "munmap", "errno 13"],
  ["win32", { VirtualAlloc: 0x20_0000, GetLastError: 1655 }, "VirtualFree", "error 1655"],
])("%s: pages that may not be run are given back, and the reason is a policy", async (platform, answers, last, error) => {
  const { open, calls } = fakeKoffi(answers);
  expect(await openNative(open, { platform, arch: "x64" })).toEqual({
    why: `the system refuses to make pages executable (${error}): a security policy forbids it`,
  });
  expect(calls.at(-1)![0]).toBe(last);
});

test.each([
  ["linux", { mprotect: -1 }, /more bytes of memory \(errno 13\): free memory/],
  ["win32", { GetLastError: 1455 }, /more bytes of memory \(error 1455\): free memory/],
])("%s: memory that cannot be had is refused with its size", async (platform, answers, message) => {
  const refusing = systems[platform]!(await fakeKoffi(answers).open());
  expect(() => refusing.commit({ address: 0x20_0000, bytes: 4096 })).toThrow(message);
});
