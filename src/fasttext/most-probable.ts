// The most probable of many, where a few are asked for.

/** One of many, by its place, and how probable it is. */
export interface Probable {
  readonly index: number;
  readonly probability: number;
}

/** The most probable ones, which come in any order. */
export class MostProbable {
  readonly #most: number;
  /** The most probable first; of equally probable ones the one with the lower index. */
  readonly found: Probable[] = [];

  /** @param most so many are kept */
  constructor(most: number) {
    this.#most = most;
  }

  /** What is less probable than this does not stay. */
  get least(): number {
    return this.found.length < this.#most ? 0 : (this.found.at(-1)?.probability ?? Number.POSITIVE_INFINITY);
  }

  add(index: number, probability: number): void {
    const { found } = this;
    if (probability < this.least) return;
    let at = found.length;
    const isAfter = (other: Probable) => other.probability < probability || (other.probability === probability && other.index > index);
    while (at > 0 && isAfter(found[at - 1]!)) at--;
    found.splice(at, 0, { index, probability });
    if (found.length > this.#most) found.pop();
  }
}

/** The most probable of all, at most so many. */
export function mostProbable(probabilities: Float64Array, most: number): readonly Probable[] {
  const best = new MostProbable(most);
  for (let i = 0; i < probabilities.length; i++) best.add(i, probabilities[i]!);
  return best.found;
}
