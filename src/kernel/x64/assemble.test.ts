import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { CriaError } from "../../base/index.ts";
import { differences } from "../differential.test.helper.ts";
import { type Int, kernel, type Mask, type Vec } from "../language.ts";
import { compiledRuns, random, specialised } from "../testing.test.helper.ts";
import { wasm128 } from "../wasm/target.ts";
import { assembleX64, type MachineCode } from "./assemble.ts";
import { printInstruction, printMachineCode } from "./print.ts";
import { callCode, whyNot, withGuards } from "./run.test.helper.ts";
import { avx2, avx512, avx512Dots, systemV, windows } from "./target.ts";

const live = 40;

/** Everything loaded before anything is stored, changed in loops within loops: `live` vectors, ints and masks at once. */
const crowded = kernel<object>("crowded", (k) => {
  const { x, y, z } = k.pointers("x", "y", "z");
  const { begin, end } = k.range();
  const width = k.laneCount * 4;
  const at = (i: number) => ({ offset: i * width, span: "full" as const, copy: 0 });
  k.loop(begin, end, 1, (unit) => {
    const each = <T>(make: (i: number) => T) => Array.from({ length: live }, (_, i) => make(i));
    const vectors: Vec[] = each((i) => k.copyVec(k.load(x, at(i))));
    const numbers: Int[] = each((i) => k.copy(unit.add(i)));
    const masks: Mask[] = each((i) => vectors[i]!.less(k.constant(i / live - 0.5)));
    k.loop(0, 3, 1, (i) => {
      k.loop(i, 4, 2, () => vectors.forEach((v, n) => v.accumulate(vectors[(n + 7) % live]!, k.constant(n))));
      numbers.forEach((number, n) => number.bump(numbers[(n + 3) % live]!.min(1000)));
    });
    masks.forEach((mask, i) => k.store(mask.select(vectors[i]!, vectors[live - 1 - i]!), y, at(i)));
    numbers.forEach((number, i) => k.storeInt(number, z, i * 4));
  });
  return { units: 2 };
});

/** Addresses have 64 bits, whatever the parts that they are made of. */
const wide = kernel<object>("wide", (k) => {
  const { x } = k.pointers("x");
  k.range();
  const far = x.add(2 ** 40).sub(2 ** 40 - 2 ** 33);
  const near = far.sub(k.int(2 ** 33)).sub(2 ** 31);
  const sum = k.variable();
  k.loop(x.add(2 ** 34), x.add(2 ** 34 + 3), 1, () => sum.addTo(k.load(near, { offset: 2 ** 31, span: "full", copy: 0 })));
  k.loop(0, 2 ** 34, 2 ** 33, () => sum.addTo(k.constant(1)));
  k.if(x.add(2 ** 35), ">", 2 ** 35 - 1, () => sum.addTo(k.constant(2)));
  k.store(sum, near, { offset: 2 ** 31, span: "full", copy: 0 });
  return { units: 1 };
});

const instructionsOf = ({ instructions }: MachineCode) => instructions.map((instruction) => printInstruction(instruction, () => "literal"));

describe.each([avx2, avx512])("$name", (target) => {
  const made = specialised(crowded, {}, target);

  test("what finds no register goes to the stack, constants to memory", () => {
    const code = instructionsOf(assembleX64(made));
    const vector = target.lanes === 8 ? "ymm" : "zmm";
    expect(code.some((line) => line.startsWith("vmovups [rsp") && line.includes(vector))).toBe(true);
    expect(code.some((line) => line.startsWith("mov qword ptr [rsp"))).toBe(true);
    expect(code.some((line) => /^vbroadcastss .*literal|^vfmadd.*literal/.test(line))).toBe(true);
    if (target.lanes === 16) expect(code.some((line) => line.startsWith("kmovw word ptr [rsp"))).toBe(true);
  });

  test.each([systemV, windows])("$name: the same kernel gives the same bytes", (convention) => {
    const code = () => Buffer.from(assembleX64(made, convention).code);
    expect(code().equals(code())).toBe(true);
    expect(code().equals(Buffer.from(assembleX64(made, convention === systemV ? windows : systemV).code))).toBe(false);
  });

  test.skipIf(whyNot(target))("spilled code computes what the interpreter does", () => {
    const run = compiledRuns.find(({ name }) => name === target.name)!;
    const vectors = live * target.lanes;
    const words = new Int32Array(random(2 * vectors + live, 3, 0.1).buffer);
    expect(differences(run, made, words, [0, vectors * 4, 2 * vectors * 4])).toEqual([]);
  });

  test.skipIf(whyNot(target))("numbers, offsets and bounds beyond 32 bits", () => {
    const run = compiledRuns.find(({ name }) => name === target.name)!;
    expect(differences(run, specialised(wide, {}, target), new Int32Array(random(2 * target.lanes, 5).buffer), [0])).toEqual([]);
  });

  test.skipIf(whyNot(target))("the Windows convention: arguments found, registers kept", () => {
    const vectors = live * target.lanes * 4;
    const buffers = [vectors, vectors, live * 4, 512];
    const input = random(live * target.lanes, 4, 0.1);
    const results = [systemV, windows].map((convention) =>
      withGuards(buffers, "end", (placed) => {
        const [x, y, z, area] = placed.map(({ address }) => address) as [number, number, number, number];
        const floats = (i: number) => new Float32Array(placed[i]!.bytes.buffer, placed[i]!.bytes.byteOffset, placed[i]!.bytes.length / 4);
        floats(0).set(input);
        const kept = new Int32Array(placed[3]!.bytes.buffer, placed[3]!.bytes.byteOffset, 128).map((_, i) => i);
        new Int32Array(placed[3]!.bytes.buffer, placed[3]!.bytes.byteOffset, 128).set(kept);
        const { code } = assembleX64(made, convention);
        if (convention === systemV) callCode(code, [[x, y, z, 0, 0, 2]]);
        else {
          callCode(Uint8Array.from([...fromSystemV, ...code]), [[x, y, z, 0, 0, 2, area]]);
          const after = new BigInt64Array(placed[3]!.bytes.buffer.slice(placed[3]!.bytes.byteOffset, placed[3]!.bytes.byteOffset + 336));
          expect(new Int32Array(after.buffer).slice(40, 80)).toEqual(kept.slice(0, 40));
          expect([...after.slice(40)]).toEqual([BigInt(x), BigInt(y)]);
        }
        return [1, 2].map((i) => [...new Int32Array(floats(i).slice().buffer)]);
      }),
    );
    expect(results[1]).toEqual(results[0]);
  });
});

/**
 * Calls the Windows function 256 bytes on with the first six of seven arguments, xmm6 to xmm15 taken from where the seventh points;
 * writes what they are afterwards behind that, then rdi and rsi, the first two arguments.
 */
const fromSystemV = (() => {
  const code = Buffer.from(
    [
      "53 488b5c2410", // push rbx; mov rbx, [rsp+16]
      "0f1033 0f107b10 440f104320 440f104b30 440f105340", // movups xmm6, [rbx]; xmm7, [rbx+16]; …
      "440f105b50 440f106360 440f106b70 440f10b380000000 440f10bb90000000",
      "4883ec30 4c89442420 4c894c2428", // sub rsp, 48; mov [rsp+32], r8; mov [rsp+40], r9
      "4989c9 4989d0 4889f2 4889f9", // mov r9, rcx; mov r8, rdx; mov rdx, rsi; mov rcx, rdi
      "e8a6000000 4883c430", // call; add rsp, 48
      "0f11b3a0000000 0f11bbb0000000 440f1183c0000000 440f118bd0000000 440f1193e0000000", // movups [rbx+160], xmm6; …
      "440f119bf0000000 440f11a300010000 440f11ab10010000 440f11b320010000 440f11bb30010000",
      "4889bb40010000 4889b348010000 5b c3", // mov [rbx+320], rdi; mov [rbx+328], rsi; pop rbx; ret
    ]
      .join("")
      .replaceAll(" ", ""),
    "hex",
  );
  return Buffer.concat([code, Buffer.alloc(256 - code.length, 0xcc)]);
})();

const scale = kernel<object>("scale", (k) => {
  const { x } = k.pointers("x");
  const { begin, end } = k.range();
  k.loop(begin, end, 1, (unit) => {
    const row = x.add(unit.mul(76));
    k.lanes(19, (at) => k.store(k.splat(row).fma(k.load(row, at), k.constant(0.5)), row, at));
  });
  return { units: 3 };
});

test("a listing shows ops, bytes and registers; a broadcast is an operand, a tail has a mask", () => {
  const lines = printMachineCode(specialised(scale, {}, avx512)).split("\n");
  expect(lines[0]).toBe("scale for avx512: 171 bytes of instructions, 9 after them for constants");
  const first = lines.findIndex((line) => line.includes("vconst"));
  expect(`\n${lines.slice(first, first + 21).join("\n")}\n`).toBe(`
  v9 = vconst 0.5 f32
    47  62f27d4818055f000000     vbroadcastss zmm0, dword ptr [3f000000]
  loop i4 from i2 to i3 step 1
    51  483bca                   cmp rcx, rdx
    54  0f833e000000             jae L1
  i5 = imul i4 76
    5a  4869f14c000000           imul rsi, rcx, 76
  i6 = iadd i0 i5
    61  488d3430                 lea rsi, [rax+rsi*1]
  v7 = vsplat [i6]
    65  62f27d48180e             vbroadcastss zmm1, dword ptr [rsi]
  v10 = ffma v7 v8 v9
    6b  62f27d48980e             vfmadd132ps zmm1, zmm0, [rsi]
  vstore v10 [i6]
    71  62f17c48110e             vmovups [rsi], zmm1
  v12 = vload [i6 + 64] first 3
    77  62f17cc9104e01           vmovups zmm1{k1}{z}, [rsi+64]
  v13 = ffma v11 v12 v9
    7e  62f27d58980e             vfmadd132ps zmm1, zmm0, [rsi]{1to16}
  vstore v13 [i6 + 64] first 3
    84  62f17c49114e01           vmovups [rsi+64]{k1}, zmm1
`);
});

test("a dot product adds to its register what it reads from memory, in one instruction", () => {
  const dots = kernel<object>("dots", (k) => {
    const { x } = k.pointers("x");
    k.range();
    const [floats, integers] = [k.variable(), k.variable()];
    k.loop(0, 4, 1, () => {
      floats.accumulatePairs(k.load(x), k.splat(x, 64));
      integers.accumulateBytes(k.load(x, { offset: 128, span: "full", copy: 0 }), k.splat(x, 192));
    });
    k.store(floats.add(integers.toFloat()), x);
    return { units: 1 };
  });
  const code = instructionsOf(assembleX64(specialised(dots, {}, avx512Dots)));
  const inLoop = code.slice(
    code.findIndex((line) => line.startsWith("vmovups zmm")),
    code.findIndex((line) => line.startsWith("jb")),
  );
  expect(inLoop.filter((line) => line.startsWith("v"))).toEqual([
    expect.stringMatching(/^vmovups zmm\d+, \[\w+\]$/),
    expect.stringMatching(/^vdpbf16ps zmm\d+, zmm\d+, \[\w+\+64\]\{1to16\}$/),
    expect.stringMatching(/^vmovups zmm\d+, \[\w+\+128\]$/),
    expect.stringMatching(/^vpdpbusd zmm\d+, zmm\d+, \[\w+\+192\]\{1to16\}$/),
  ]);
});

test.skipIf(whyNot(avx2)).each(["start", "end"])("the tests' own guards: a read beyond a buffer's %s ends the process", (edge) => {
  const helper = new URL("./run.test.helper.js", import.meta.url).href;
  const door = new URL("../index.js", import.meta.url).href;
  const program = `
    import { withGuards, execute } from "${helper}";
    import { avx2, kernel, specialise } from "${door}";
    const bad = kernel("bad", (k) => {
      const { x } = k.pointers("x");
      k.range();
      k.store(k.load(x.add(${edge === "start" ? -1 : 1})), x);
      return { units: 1 };
    });
    withGuards([32], "${edge}", ([x]) => execute(specialise(bad, {}, avx2), [[x.address, 0, 0, 1]]));`;
  expect(spawnSync(process.execPath, ["--input-type=module", "-e", program]).signal).toBe("SIGSEGV");
});

test("a kernel for another target is refused", () => {
  expect(() => assembleX64(specialised(scale, {}, wasm128))).toThrow(CriaError);
  expect(() => assembleX64(specialised(scale, {}, wasm128))).toThrow("scale: specialised for wasm, must be for avx2 or avx512");
});
