// Which tokens may come next: a walk over the tree of tokens with the states of a grammar. What a rule allows by itself is found once, whoever calls it
// (the context-independent tokens of XGrammar, Dong et al. 2024, arXiv 2411.15100); only tokens that go on behind the rule's end are tried per caller.
import type { Machine, Place, State } from "./machine.ts";
import type { TokenTrie } from "./token-trie.ts";

/** Places that read at least so many different bytes begin a large part of a vocabulary. */
const wide = 16;

/** A mask with at most so many tokens is kept as their list. */
const mostListed = 256;

/** Tokens by id: as a list where they are few, else as bits, where token id is bit id mod 32 of word ⌊id / 32⌋. */
export type TokenMask = Int32Array | Uint32Array;

/** What places of one frame allow, whatever lies around the frame. */
interface Inside {
  readonly mask: TokenMask;
  /** Nodes of tokens at which the frame's rule may end, and that tokens go on from. */
  readonly leaves: readonly number[];
}

/** Masks of a grammar's states for one vocabulary. */
export class TokenMasks {
  readonly #machine: Machine;
  readonly #trie: TokenTrie;
  #masks = new WeakMap<State, TokenMask>();
  #insides = new WeakMap<State, Inside>();
  readonly #isWide: readonly boolean[];
  readonly #path: State[] = [];
  readonly #bits: Uint32Array;

  constructor(machine: Machine, trie: TokenTrie) {
    this.#machine = machine;
    this.#trie = trie;
    this.#bits = new Uint32Array(Math.ceil(trie.vocabSize / 32));
    this.#isWide = setSizes(machine).map((size) => size >= wide);
  }

  /** The tokens that may come in a state. */
  of(state: State): TokenMask {
    const known = this.#masks.get(state) ?? this.#find(state);
    this.#masks.set(state, known);
    return known;
  }

  #find(state: State): TokenMask {
    const { nodes } = this.#trie;
    const groups = new Map<Place["frame"], Place[]>();
    for (const place of state.places) groups.set(place.frame, [...(groups.get(place.frame) ?? []), place]);
    const narrow: Place[] = [];
    const insides: (readonly [Place["frame"], Inside])[] = [];
    for (const [frame, places] of groups) {
      if (places.some((place) => this.#readsWide(place))) insides.push([frame, this.#inside(places)]);
      else narrow.push(...places);
    }
    const bits = this.#bits.fill(0);
    if (narrow.length > 0) this.#walk(this.#machine.stateOf(narrow, false), 0, nodes, bits);
    for (const [frame, { mask, leaves }] of insides) {
      addTo(bits, mask);
      if (leaves.length === 0) continue;
      const behind = this.#machine.behind(frame);
      for (const node of leaves) this.#walk(behind, node + 1, this.#trie.end[node]!, bits);
    }
    return packed(bits);
  }

  #readsWide({ position }: Place): boolean {
    const read = this.#machine.automaton.positions[position]!;
    return read.type === "read" && this.#isWide[read.set]!;
  }

  /** What places of one frame allow by themselves; found once for all counts that no token reaches the ends of. */
  #inside(places: readonly Place[]): Inside {
    const state = this.#machine.stateOf(
      places.map((place) => ({ ...place, count: this.#nearCount(place) })),
      true,
    );
    const known = this.#insides.get(state);
    if (known !== undefined) return known;
    const bits = new Uint32Array(this.#bits.length);
    const leaves: number[] = [];
    this.#walk(state, 0, this.#trie.nodes, bits, leaves);
    const inside = { mask: packed(bits), leaves };
    this.#insides.set(state, inside);
    return inside;
  }

  /** The count of the same loop that allows the same tokens: each turn reads a byte, so ends that are further away than the longest token are alike. */
  #nearCount({ position, count }: Place): number {
    const { positions, loopOf } = this.#machine.automaton;
    const loop = positions[loopOf[position]!];
    if (loop?.type !== "loop") return count;
    const { longest } = this.#trie;
    if (count < loop.least) return Math.max(count, loop.least - longest);
    return loop.most === Number.POSITIVE_INFINITY ? loop.least : Math.max(count, loop.least, loop.most - longest);
  }

  /**
   * Sets the bits of the tokens that may come in `state`, of those whose last bytes are nodes `from` … `to` − 1.
   * @param leaves takes the nodes at which the state's frame may end, where tokens go on
   */
  #walk(state: State, from: number, to: number, bits: Uint32Array, leaves?: number[]): void {
    const { byte, depth, end, first, ids } = this.#trie;
    const { classOf } = this.#machine.automaton;
    const path = this.#path;
    if (from >= to) return;
    const top = depth[from]!;
    path[top] = state;
    for (let node = from; node < to; ) {
      const level = depth[node]!;
      const before = path[level]!;
      const kind = classOf[byte[node]!]!;
      const known = before.next[kind];
      const next = known === undefined ? this.#machine.stepClass(before, kind) : known;
      if (next === null) {
        node = end[node]!;
        continue;
      }
      path[level + 1] = next;
      for (let i = first[node]!; i < first[node + 1]!; i++) {
        const id = ids[i]!;
        bits[id >>> 5]! |= 1 << (id & 31);
      }
      if (leaves !== undefined && next.isEnd && end[node]! > node + 1) leaves.push(node);
      node++;
    }
  }
}

/** Sets the bits of a mask's tokens, and clears none. */
export function addTo(bits: Uint32Array, mask: TokenMask): void {
  if (mask instanceof Int32Array) for (const id of mask) bits[id >>> 5]! |= 1 << (id & 31);
  else for (let word = 0; word < mask.length; word++) bits[word]! |= mask[word]!;
}

function packed(bits: Uint32Array): TokenMask {
  let count = 0;
  for (const word of bits) count += ones(word);
  if (count > mostListed) return bits.slice();
  const ids = new Int32Array(count);
  let at = 0;
  bits.forEach((word, i) => {
    for (let rest = word; rest !== 0; rest &= rest - 1) ids[at++] = 32 * i + (31 - Math.clz32(rest & -rest));
  });
  return ids;
}

/** The number of bits that are 1. */
function ones(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** The number of bytes in every set of the automaton. */
function setSizes({ automaton: { sets, classOf } }: Machine): number[] {
  return sets.map((set) => classOf.reduce((size, kind) => size + set[kind]!, 0));
}
