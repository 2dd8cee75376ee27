// A minimum of a smooth function of a few numbers: limited-memory BFGS (Nocedal & Wright, Numerical Optimization, algorithms 7.4 and 7.5).

/** Fills `gradient` and returns the value. */
export type Objective = (x: Float64Array, gradient: Float64Array) => number;

/** Where a function is least, and its value there. */
export interface Minimum {
  readonly x: Float64Array;
  readonly value: number;
}

const memory = 10;
const enough = 1e-12;

/** The minimum downhill of `start`, which stays as it is, or how far `iterations` steps come. A step that finds nothing lower ends the search. */
export function minimise(objective: Objective, start: Float64Array, iterations: number): Minimum {
  let point = evaluate(objective, start.slice());
  const pairs: Pair[] = [];
  for (let i = 0; i < iterations; i++) {
    const next = searchLine(objective, point, direction(point.gradient, pairs));
    if (next === undefined) {
      if (pairs.length === 0) break;
      pairs.length = 0; // once more, straight downhill
      continue;
    }
    remember(pairs, point, next);
    const gain = point.value - next.value;
    point = next;
    if (gain <= enough * Math.abs(point.value)) break;
  }
  return point;
}

interface Point extends Minimum {
  readonly gradient: Float64Array;
}

/** A step and how the gradient changed over it. */
interface Pair {
  readonly step: Float64Array;
  readonly change: Float64Array;
  readonly curvature: number;
}

function evaluate(objective: Objective, x: Float64Array): Point {
  const gradient = new Float64Array(x.length);
  return { x, gradient, value: objective(x, gradient) };
}

/** −H·gradient by the two loops over the remembered pairs. */
function direction(gradient: Float64Array, pairs: readonly Pair[]): Float64Array {
  const d = gradient.map((value) => -value);
  const shares = pairs.map(() => 0);
  for (let i = pairs.length - 1; i >= 0; i--) {
    const { step, change, curvature } = pairs[i]!;
    shares[i] = dot(step, d) / curvature;
    addScaled(d, change, -shares[i]!);
  }
  const last = pairs.at(-1);
  if (last) scale(d, last.curvature / dot(last.change, last.change));
  for (const [i, { step, change, curvature }] of pairs.entries()) addScaled(d, step, shares[i]! - dot(change, d) / curvature);
  return d;
}

/** Halves the step until the value falls as the slope promises (Armijo). It begins with all of `d`, but no longer than 1 + |d| / 1000. */
function searchLine(objective: Objective, from: Point, d: Float64Array): Point | undefined {
  const slope = dot(from.gradient, d);
  if (!(slope < 0)) return undefined;
  let length = Math.min(1, 1 / Math.sqrt(dot(d, d)) + 1e-3);
  for (let i = 0; i < 40; i++, length /= 2) {
    const x = from.x.slice();
    addScaled(x, d, length);
    const next = evaluate(objective, x);
    if (next.value <= from.value + 1e-4 * length * slope && next.value < from.value) return next;
  }
  return undefined;
}

/** Only pairs of positive curvature keep the directions downhill. */
function remember(pairs: Pair[], from: Point, to: Point): void {
  const step = to.x.map((value, i) => value - from.x[i]!);
  const change = to.gradient.map((value, i) => value - from.gradient[i]!);
  const curvature = dot(step, change);
  if (curvature <= 1e-12 * dot(change, change)) return;
  pairs.push({ step, change, curvature });
  if (pairs.length > memory) pairs.shift();
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function addScaled(to: Float64Array, from: Float64Array, factor: number): void {
  for (let i = 0; i < to.length; i++) to[i] = to[i]! + factor * from[i]!;
}

function scale(values: Float64Array, factor: number): void {
  for (let i = 0; i < values.length; i++) values[i] = values[i]! * factor;
}
