// Hierarchical softmax (fastText 0.9, loss.cc): labels are leaves of a Huffman tree by their counts, and each inner node decides by a logistic function
// whether it goes on to the left or to the right.

/** The tree of labels whose counts fall. Nodes are numbered labels first, then inner nodes in the order in which they join two. */
export class HuffmanTree {
  readonly #labels: number;
  readonly #left: Int32Array;
  readonly #right: Int32Array;

  constructor(counts: readonly number[]) {
    this.#labels = counts.length;
    const nodes = 2 * counts.length - 1;
    [this.#left, this.#right] = [new Int32Array(nodes).fill(-1), new Int32Array(nodes).fill(-1)];
    const weights = new Float64Array(nodes).fill(1e15);
    weights.set(counts);
    let [leaf, node] = [counts.length - 1, counts.length];
    for (let i = counts.length; i < nodes; i++) {
      const next = () => (leaf >= 0 && weights[leaf]! < weights[node]! ? leaf-- : node++);
      const [left, right] = [next(), next()];
      [this.#left[i], this.#right[i]] = [left, right];
      weights[i] = weights[left]! + weights[right]!;
    }
  }

  /** Each label's probability. @param scores of the inner nodes, in their order */
  probabilities(scores: Float64Array): Float64Array {
    const found = new Float64Array(this.#labels);
    const visit = (node: number, logProbability: number) => {
      if (node < this.#labels) found[node] = Math.exp(logProbability);
      else {
        const right = 1 / (1 + Math.exp(-scores[node - this.#labels]!));
        visit(this.#left[node]!, logProbability + safeLog(1 - right));
        visit(this.#right[node]!, logProbability + safeLog(right));
      }
    };
    visit(2 * this.#labels - 2, 0);
    return found;
  }
}

/** The logarithm as fastText has it, which is finite for 0. */
function safeLog(x: number): number {
  return Math.log(x + 1e-5);
}
