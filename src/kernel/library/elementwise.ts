// Sums, multiples and copies, element by element; an output may be an input.
import { kernel } from "../language.ts";
import { type Elements, eachElement, eachLiveRow, type Live, rowAt } from "./rows.ts";

/** y = a + b. Pointers: a, b, y [count]. */
export const add = kernel<Elements>("add", (k, sizes) => {
  const { a, b, y } = k.pointers("a", "b", "y");
  return eachElement(k, sizes, (at) => k.store(k.load(a, at).add(k.load(b, at)), y, at));
});

/** y = x + bias, row by row. Pointers: x [R, C], bias [C], y [R, C]. */
export const addBias = kernel<{ readonly rows: number; readonly channels: number } & Live>("addBias", (k, { channels, ...sizes }) => {
  const { x, bias, y } = k.pointers("x", "bias", "y");
  const split = eachLiveRow(k, sizes, (row) => {
    const [from, to] = [rowAt(x, row, channels), rowAt(y, row, channels)];
    k.lanes(channels, (at) => k.store(k.load(from, at).add(k.load(bias, at)), to, at), 4);
  });
  return split;
});

/** y = factor · x. Pointers: x, y [count]. */
export const scale = kernel<Elements & { readonly factor: number }>("scale", (k, { factor, ...sizes }) => {
  const { x, y } = k.pointers("x", "y");
  return eachElement(k, sizes, (at) => k.store(k.load(x, at).mul(k.constant(factor)), y, at));
});

/** state = x; copies any 32-bit elements. Pointers: x, state [count]. */
export const assign = kernel<Pick<Elements, "count">>("assign", (k, { count }) => {
  const { x, state } = k.pointers("x", "state");
  return { units: k.flat(count, k.range(), (at) => k.store(k.load(x, at), state, at)) };
});

/** state += x. Pointers: x, state [count]. */
export const accumulate = kernel<Pick<Elements, "count">>("accumulate", (k, { count }) => {
  const { x, state } = k.pointers("x", "state");
  return { units: k.flat(count, k.range(), (at) => k.store(k.load(state, at).add(k.load(x, at)), state, at)) };
});
