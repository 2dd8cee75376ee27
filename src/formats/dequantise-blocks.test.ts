import { expect, test } from "vitest";
import { dequantise, elementLayouts, isQuantised, Rng, weightDTypes } from "../base/index.ts";
import { dequantiseBlocks } from "./dequantise-blocks.ts";

const dtypes = weightDTypes.filter(isQuantised);

test.each(dtypes)("%s: float64's values, rounded once", (dtype) => {
  const { block, bytes } = elementLayouts[dtype];
  const count = 70;
  const rng = new Rng(dtypes.indexOf(dtype));
  const data = Uint8Array.from({ length: count * bytes }, () => rng.below(256));
  const out = new Float32Array(count * block);
  dequantiseBlocks(dtype, data, out);
  expect(out).toEqual(Float32Array.from(dequantise(dtype, data)));
});
