// Hierarchical softmax (fastText 0.9, loss.cc): labels are leaves of a Huffman tree by their counts, and each inner node decides by a logistic function
// whether it goes on to the left or to the right.
import { MostProbable, type Probable } from "./most-probable.ts";

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

  /** Each label's probability. @param score of an inner node, by its number from 0 on */
  probabilities(score: (node: number) => number): Float64Array {
    const found = new Float64Array(this.#labels);
    this.#visit(score, 2 * this.#labels - 2, 0, { least: 0, add: (label, probability) => (found[label] = probability) });
    return found;
  }

  /** The most probable labels, at most so many: no node is visited behind which there are only less probable ones. @param score as above */
  mostProbable(score: (node: number) => number, most: number): readonly Probable[] {
    const best = new MostProbable(most);
    this.#visit(score, 2 * this.#labels - 2, 0, best);
    return best.found;
  }

  /** Goes to the more probable side first. */
  #visit(score: (node: number) => number, node: number, logProbability: number, labels: Pick<MostProbable, "least" | "add">): void {
    const probability = Math.exp(logProbability);
    // The logarithm of what is nearly 1 is above 0, so that a label may be a little more probable than the node before it.
    if (1.01 * probability < labels.least) return;
    if (node < this.#labels) return labels.add(node, probability);
    const right = 1 / (1 + Math.exp(-score(node - this.#labels)));
    const visitLeft = () => this.#visit(score, this.#left[node]!, logProbability + safeLog(1 - right), labels);
    const visitRight = () => this.#visit(score, this.#right[node]!, logProbability + safeLog(right), labels);
    if (right <= 0.5) visitLeft();
    visitRight();
    if (right > 0.5) visitLeft();
  }
}

/** The logarithm as fastText has it, which is finite for 0. */
function safeLog(x: number): number {
  return Math.log(x + 1e-5);
}
