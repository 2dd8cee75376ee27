// Kernels as machine code assembled by hand (System V), for the tests of loading and replaying.
import { existsSync, readFileSync } from "node:fs";
import type { NativeSource } from "./native-engine.ts";

const kernel = (params: number, code: readonly number[]): NativeSource => ({
  key: code,
  assemble: () => ({ code: Uint8Array.from(code), params }),
});

/** () */
export const nothing = kernel(3, [0xc3]);

/** (counts): counts[i] += 1, atomically, so that a unit done twice at the same moment shows. */
// biome-ignore format: an instruction per line.
export const count = kernel(4, [
  0x48, 0x39, 0xca, // cmp rdx, rcx
  0x73, 0x09, // jae to the ret
  0xf0, 0xff, 0x04, 0x97, // lock inc dword [rdi + rdx * 4]
  0x48, 0xff, 0xc2, // inc rdx
  0xeb, 0xf2, // jmp to the cmp
  0xc3, // ret
]);

export const shifted = 13;
/** (to, from): to[i] = from[(i + 1) % shifted] + 1: what other threads wrote in the phase before. */
// biome-ignore format: an instruction per line.
export const shift = kernel(5, [
  0x4c, 0x39, 0xc1, // cmp rcx, r8
  0x73, 0x19, // jae to the ret
  0x48, 0x8d, 0x41, 0x01, // lea rax, [rcx + 1]
  0x48, 0x83, 0xf8, shifted, // cmp rax, shifted
  0x72, 0x02, // jb past the next
  0x31, 0xc0, // xor eax, eax
  0x8b, 0x04, 0x86, // mov eax, [rsi + rax * 4]
  0xff, 0xc0, // inc eax
  0x89, 0x04, 0x8f, // mov [rdi + rcx * 4], eax
  0x48, 0xff, 0xc1, // inc rcx
  0xeb, 0xe2, // jmp to the cmp
  0xc3, // ret
]);

/** n parameters, 6 to 16; the first is where all others are stored, 8 bytes each. */
export const manyArguments = (n: number): NativeSource =>
  kernel(n, [
    ...[0x48, 0x89, 0x37], // mov [rdi], rsi
    ...[0x48, 0x89, 0x57, 8], // mov [rdi + 8], rdx
    ...[0x48, 0x89, 0x4f, 16], // mov [rdi + 16], rcx
    ...[0x4c, 0x89, 0x47, 24], // mov [rdi + 24], r8
    ...[0x4c, 0x89, 0x4f, 32], // mov [rdi + 32], r9
    ...Array.from({ length: n - 6 }, (_, i) => [
      ...[0x48, 0x8b, 0x44, 0x24, 8 + 8 * i], // mov rax, [rsp + 8 + 8 i]
      ...[0x48, 0x89, 0x47, 40 + 8 * i], // mov [rdi + 40 + 8 i], rax
    ]).flat(),
    0xc3, // ret
  ]);

/** Permissions of this process's pages, a line a map, by /proc/self/maps; undefined on systems without. */
export function pagePermissions(): { readonly start: number; readonly end: number; readonly permissions: string }[] | undefined {
  if (!existsSync("/proc/self/maps")) return undefined;
  const lines = readFileSync("/proc/self/maps", "utf8").trim().split("\n");
  return lines.map((line) => {
    const [range, permissions] = line.split(" ");
    const [start, end] = range!.split("-").map((address) => Number.parseInt(address, 16));
    return { start: start!, end: end!, permissions: permissions! };
  });
}
