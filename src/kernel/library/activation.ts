// Activations and gated linear units (Shazeer 2020, arXiv 2002.05202), element by element; any output may be any input.
import { type Builder, kernel, type Position, type Vec } from "../language.ts";
import { type ActivationName, activations } from "./activation-functions.ts";
import { type Elements, eachElement } from "./rows.ts";

/** Constants of the kernels that apply an activation element by element. */
export interface ActivationSizes extends Elements {
  readonly activation: ActivationName;
  /** β of Swish_β(x) = x · σ(βx); the others do not read it. */
  readonly beta: number;
}

/** y = act(x). Pointers: x, y [count]. */
export const activation = kernel<ActivationSizes>("activation", (k, sizes) => {
  const { x, y } = k.pointers("x", "y");
  return eachElement(k, sizes, (at) => k.store(valueLanes(k, sizes, k.load(x, at)), y, at));
});

/** dx = dy · act′(x). Pointers: x, dy, dx [count]. */
export const activationGradient = kernel<ActivationSizes>("activationGradient", (k, sizes) => {
  const { x, dy, dx } = k.pointers("x", "dy", "dx");
  const body = (at: Position) => k.store(k.load(dy, at).mul(bothLanes(k, sizes, k.load(x, at)).slope), dx, at);
  return { units: k.flat(sizes.count, k.range(), body) };
});

/** y = act(gate) · up. Pointers: gate, up, y [count]. */
export const glu = kernel<ActivationSizes>("glu", (k, sizes) => {
  const { gate, up, y } = k.pointers("gate", "up", "y");
  const body = (at: Position) => k.store(valueLanes(k, sizes, k.load(gate, at)).mul(k.load(up, at)), y, at);
  return eachElement(k, sizes, body);
});

/** dgate = dy · up · act′(gate), dup = dy · act(gate). Pointers: gate, up, dy, dgate, dup [count]. */
export const gluGradient = kernel<ActivationSizes>("gluGradient", (k, sizes) => {
  const { gate, up, dy, dgate, dup } = k.pointers("gate", "up", "dy", "dgate", "dup");
  const body = (at: Position) => {
    const d = k.load(dy, at);
    const dGated = d.mul(k.load(up, at));
    const { value, slope } = bothLanes(k, sizes, k.load(gate, at));
    k.store(dGated.mul(slope), dgate, at);
    k.store(d.mul(value), dup, at);
  };
  return { units: k.flat(sizes.count, k.range(), body) };
});

function valueLanes(k: Builder, { activation, beta }: ActivationSizes, x: Vec): Vec {
  return activations[activation].value(k, x, beta);
}

function bothLanes(k: Builder, { activation, beta }: ActivationSizes, x: Vec): { value: Vec; slope: Vec } {
  return activations[activation].both(k, x, beta);
}
