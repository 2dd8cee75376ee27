import { expect, test } from "vitest";
import { kernel, specialise } from "./language.ts";
import { printKernel } from "./print.ts";
import { wasm128 } from "./wasm/target.ts";

test("a kernel as text: blocks, addresses, tails, constants", () => {
  const scale = kernel<object>("scale", (k) => {
    const { x } = k.pointers("x");
    const { begin, end } = k.range();
    k.loop(begin, end, 1, (unit) => {
      const row = x.add(unit.mul(28));
      k.lanes(7, (at) => k.store(k.load(row, at).mul(k.constant(0.5)), row, at));
      k.if(
        unit,
        "==",
        0,
        () => k.storeInt(k.loadInt(row, 4), row),
        () => k.storeScalar(k.constant(0).less(k.splat(row)).select(k.constant(-0), k.iota()), row),
      );
    });
    return { units: 3, scratchBytes: 16 };
  });
  expect(printKernel(specialise(scale, {}, wasm128))).toBe(
    `
scale for wasm: 3 units, 16 bytes of scratch
  (x: i0, scratch: i1, begin: i2, end: i3)
  v8 = vconst 0.5 f32
  v13 = vconst 0 f32
  v16 = vconst -0 f32
  loop i4 from i2 to i3 step 1
    i5 = imul i4 28
    i6 = iadd i0 i5
    v7 = vload [i6]
    v9 = fmul v7 v8
    vstore v9 [i6]
    v10 = vload [i6 + 16] first 3
    v11 = fmul v10 v8
    vstore v11 [i6 + 16] first 3
    if i4 == 0
      i12 = iload [i6 + 4] i32
      istore i12 [i6]
    else
      v14 = vsplat [i6]
      m15 = flt v13 v14
      v17 = viota
      v18 = select m15 v16 v17
      vstore v18 [i6] first 1
`.trim(),
  );
});
