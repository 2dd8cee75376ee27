// What this CPU can do: CPUID and XGETBV, a few bytes of code (Intel SDM, volume 2, CPUID; volume 1, 13.2 and 14.3).
import type { Native } from "./native.ts";

/** The features that kernels may use, by their names in /proc/cpuinfo. */
export const featureNames = ["avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512_bf16", "avx512_vnni"] as const;
/** The name of a feature. */
export type CpuFeature = (typeof featureNames)[number];
/** What the CPU has and the operating system saves and restores. */
export type CpuFeatures = ReadonlySet<CpuFeature>;

/** The features of this CPU, asked of it by a few bytes of code. */
export function cpuFeatures(native: Native): CpuFeatures {
  const { code, cpuidHigh, extendedControl } = codes[native.convention];
  const pages = native.mapCode(code);
  try {
    const low = native.callableForNumber(pages.address, 2);
    const high = native.callableForNumber(pages.address + cpuidHigh, 2);
    const xgetbv = native.callableForNumber(pages.address + extendedControl, 0);
    const cpuid = (leaf: number, subleaf: number) => ({
      ...words(low(leaf, subleaf), "eax", "ebx"),
      ...words(high(leaf, subleaf), "ecx", "edx"),
    });
    return features(cpuid, () => Number(xgetbv()));
  } finally {
    native.unmap(pages);
  }
}

type Register = "eax" | "ebx" | "ecx" | "edx";
type Cpuid = (leaf: number, subleaf: number) => Partial<Readonly<Record<Register, number>>>;

/** One row per feature: leaf and subleaf of CPUID, register, bit; AVX-512's registers need more of the system than AVX's. */
const rows: Readonly<Record<CpuFeature, readonly [leaf: number, subleaf: number, Register, bit: number, needs: "ymm" | "zmm"]>> = {
  fma: [1, 0, "ecx", 12, "ymm"],
  f16c: [1, 0, "ecx", 29, "ymm"],
  avx2: [7, 0, "ebx", 5, "ymm"],
  avx512f: [7, 0, "ebx", 16, "zmm"],
  avx512dq: [7, 0, "ebx", 17, "zmm"],
  avx512bw: [7, 0, "ebx", 30, "zmm"],
  avx512vl: [7, 0, "ebx", 31, "zmm"],
  avx512_vnni: [7, 0, "ecx", 11, "zmm"],
  avx512_bf16: [7, 1, "eax", 5, "zmm"],
};

/** Bits of XCR0: states that the operating system keeps. SSE and AVX; with them opmask, upper halves, upper registers. */
const states = { ymm: 0b110, zmm: 0b1110_0110 };

/** @param extendedControlRegister XCR0; only asked where the system has turned it on. */
export function features(cpuid: Cpuid, extendedControlRegister: () => number): CpuFeatures {
  const has = (leaf: number, subleaf: number, register: Register, bit: number) => ((cpuid(leaf, subleaf)[register]! >>> bit) & 1) === 1;
  const osxsave = has(1, 0, "ecx", 27);
  const kept = osxsave ? extendedControlRegister() : 0;
  const highestLeaf = cpuid(0, 0).eax!;
  const exists = (leaf: number, subleaf: number) => leaf <= highestLeaf && (subleaf === 0 || subleaf <= cpuid(leaf, 0).eax!);
  const found = featureNames.filter((name) => {
    const [leaf, subleaf, register, bit, needs] = rows[name];
    return (kept & states[needs]) === states[needs] && exists(leaf, subleaf) && has(leaf, subleaf, register, bit);
  });
  return new Set(found);
}

function words<Low extends Register, High extends Register>(value: number | bigint, low: Low, high: High): Record<Low | High, number> {
  const bits = BigInt(value);
  return { [low]: Number(bits & 0xffff_ffffn), [high]: Number(bits >> 32n) } as Record<Low | High, number>;
}

/** mov eax, leaf; mov ecx, subleaf: from where the convention has the first two arguments. */
const moveArguments = {
  systemV: [0x89, 0xf8, 0x89, 0xf1], // mov eax, edi; mov ecx, esi
  windows: [0x89, 0xc8, 0x89, 0xd1], // mov eax, ecx; mov ecx, edx
};

/** rbx is the caller's. */
// biome-ignore format: an instruction per line.
const cpuidOf = (move: readonly number[], second: readonly number[]): readonly number[] => [
  0x53, // push rbx
  ...move,
  0x0f, 0xa2, // cpuid
  ...second,
  0x5b, // pop rbx
  0xc3, // ret
];

/** eax | ebx << 32 */
// biome-ignore format: an instruction per line.
const lowWords = [
  0x48, 0xc1, 0xe3, 0x20, // shl rbx, 32
  0x48, 0x09, 0xd8, // or rax, rbx
];

/** ecx | edx << 32 */
// biome-ignore format: an instruction per line.
const highWords = [
  0x48, 0xc1, 0xe2, 0x20, // shl rdx, 32
  0x48, 0x89, 0xc8, // mov rax, rcx
  0x48, 0x09, 0xd0, // or rax, rdx
];

/** edx:eax of extended control register 0 */
// biome-ignore format: an instruction per line.
const xcr0 = [
  0x31, 0xc9, // xor ecx, ecx
  0x0f, 0x01, 0xd0, // xgetbv
  0x48, 0xc1, 0xe2, 0x20, // shl rdx, 32
  0x48, 0x09, 0xd0, // or rax, rdx
  0xc3, // ret
];

const codes = { systemV: codeOf("systemV"), windows: codeOf("windows") };

/** The three functions in a row, and where the second and the third begin. */
function codeOf(convention: keyof typeof moveArguments) {
  const [low, high] = [lowWords, highWords].map((second) => cpuidOf(moveArguments[convention], second)) as [number[], number[]];
  return { code: Uint8Array.from([...low, ...high, ...xcr0]), cpuidHigh: low.length, extendedControl: low.length + high.length };
}
