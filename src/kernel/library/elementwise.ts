// Sums and copies, element by element; an output may be an input.
import { kernel } from "../language.ts";
import { type Elements, eachElement } from "./rows.ts";

/** y = a + b. Pointers: a, b, y [count]. */
export const add = kernel<Elements>("add", (k, sizes) => {
  const { a, b, y } = k.pointers("a", "b", "y");
  return { units: eachElement(k, sizes, (at) => k.store(k.load(a, at).add(k.load(b, at)), y, at)) };
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
