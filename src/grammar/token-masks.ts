// Which tokens may come next: a walk over the tree of tokens with the states of a grammar. What a rule allows by itself is found once, whoever calls it
// (the context-independent tokens of XGrammar, Dong et al. 2024, arXiv 2411.15100); only tokens that go on behind the rule's end are tried per caller.
import { type CodePoints, lastCodePoint } from "../regex/index.ts";
import type { Position } from "./automaton.ts";
import { type Frame, type Machine, type Place, type State, unlimited } from "./machine.ts";
import { isPlainByte, type TokenTrie, type TokenTries } from "./token-trie.ts";
import { type ByteRange, utf8Ranges } from "./utf8-ranges.ts";

/** Places that read at least so many different bytes begin a large part of a vocabulary. */
const wide = 16;

/** A mask with at most so many tokens is kept as their list. */
const mostListed = 256;

/** Masks of bits that are remembered at most: where there are more, all are forgotten. */
const mostRemembered = 2000;

/** Tokens by id: as a list where they are few, else as bits, where token id is bit id mod 32 of word ⌊id / 32⌋. */
export type TokenMask = Int32Array | Uint32Array;

/** What places of one frame allow, whatever lies around the frame. */
interface Inside {
  readonly mask: TokenMask;
  /** Places where the frame's rule may end inside of tokens, those tokens left out that the mask has anyway. */
  readonly leaves: readonly Leaf[];
}

/** A node at which the frame's rule may end, and that tokens go on from. */
interface Leaf {
  readonly trie: TokenTrie;
  readonly node: number;
}

type Loop = Extract<Position, { type: "loop" }>;

/** What a walk finds, and where it looks. */
interface Walk {
  /** Takes the tokens that may come. */
  readonly bits: Uint32Array;
  /** Takes the places where the state's frame may end. */
  readonly leaves?: Leaf[];
  /** Only tokens whose last bytes are nodes from here … */
  readonly from?: number;
  /** … up to here, this one not included. */
  readonly to?: number;
  /** Tokens of no more bytes may be passed over. */
  readonly longerThan?: number;
}

/** Masks of a grammar's states for one vocabulary. */
export class TokenMasks {
  readonly #machine: Machine;
  readonly #tries: TokenTries;
  #masks = new WeakMap<State, TokenMask>();
  #insides = new WeakMap<State, Inside>();
  /** States that were asked for whether every plain byte leads back to them. */
  readonly #loopsKnown = new WeakMap<State, boolean>();
  readonly #isWide: readonly boolean[];
  readonly #path: State[] = [];
  readonly #bits: Uint32Array;
  /** Masks of bits that are remembered. */
  #remembered = 0;

  constructor(machine: Machine, tries: TokenTries) {
    this.#machine = machine;
    this.#tries = tries;
    this.#bits = new Uint32Array(tries.plain.length);
    this.#isWide = setSizes(machine).map((size) => size >= wide);
  }

  /** The tokens that may come in a state. */
  of(state: State): TokenMask {
    const known = this.#masks.get(state);
    if (known !== undefined) return known;
    if (this.#remembered > mostRemembered) this.#forget();
    const found = this.#find(state);
    this.#masks.set(state, found);
    this.#count(found);
    return found;
  }

  #count(mask: TokenMask): void {
    if (mask instanceof Uint32Array) this.#remembered++;
  }

  #forget(): void {
    this.#masks = new WeakMap();
    this.#insides = new WeakMap();
    this.#remembered = 0;
  }

  #find(state: State): TokenMask {
    const { all } = this.#tries;
    const groups = new Map<Frame, Place[]>();
    for (const place of state.places) {
      const group = groups.get(place.frame);
      if (group === undefined) groups.set(place.frame, [place]);
      else group.push(place);
    }
    const narrow: Place[] = [];
    const insides: (readonly [Frame, Inside])[] = [];
    for (const [frame, places] of groups) {
      if (places.some((place) => this.#readsWide(place))) insides.push([frame, this.#inside(places)]);
      else narrow.push(...places);
    }
    const bits = this.#bits.fill(0);
    if (narrow.length > 0) this.#walk(all, this.#machine.stateOf(narrow), { bits });
    for (const [frame, { mask, leaves }] of insides) {
      addTo(bits, mask);
      if (leaves.length === 0) continue;
      const behind = this.#machine.behind(frame);
      for (const { trie, node } of leaves) this.#walk(trie, behind, { bits, from: node + 1, to: trie.end[node]! });
    }
    return packed(bits);
  }

  #readsWide({ position }: Place): boolean {
    const read = this.#machine.automaton.positions[position]!;
    return read.type === "read" && this.#isWide[read.set]!;
  }

  /**
   * What places of one frame allow by themselves. Each turn of a loop reads a byte, so that tokens of no more bytes than turns are left are allowed as if
   * the loop had no limit, which is found once for all counts; only longer ones are tried with the limit.
   */
  #inside(places: readonly Place[]): Inside {
    const left = Math.min(...places.map((place) => this.#turnsLeft(place)));
    const inside = (count: (place: Place) => number) =>
      this.#machine.stateOf(places.map((place) => this.#machine.placeInside({ position: place.position, count: count(place) })));
    const counted = inside(({ count }) => count);
    if (left === Number.POSITIVE_INFINITY) return this.#known(counted, (state) => this.#free(state));
    const free = this.#known(
      inside((place) => this.#unlimited(place)),
      (state) => this.#free(state),
    );
    if (left >= this.#tries.all.longest) return free;
    return this.#known(counted, (state) => this.#limited(state, free, left));
  }

  #known(state: State, find: (state: State) => Inside): Inside {
    const known = this.#insides.get(state);
    if (known !== undefined) return known;
    const found = find(state);
    this.#insides.set(state, found);
    this.#count(found.mask);
    return found;
  }

  #free(state: State): Inside {
    const { all, plain, others } = this.#tries;
    const leaves: Leaf[] = [];
    const loops = this.#loopsOnPlain(state);
    const bits = loops ? plain.slice() : new Uint32Array(plain.length);
    this.#walk(loops ? others : all, state, { bits, leaves });
    return { mask: packed(bits), leaves };
  }

  /** Whether every character that strings of JSON hold as it is leads back to the state, as inside of a string. */
  #loopsOnPlain(state: State): boolean {
    return this.#loopsOnAscii(state) && utf8Ranges(beyondAscii).every((ranges) => this.#loops(state, state, ranges));
  }

  #loopsOnAscii(state: State): boolean {
    const known = this.#loopsKnown.get(state);
    if (known !== undefined) return known;
    const found = plainBytes.every((byte) => this.#machine.step(state, byte) === state);
    this.#loopsKnown.set(state, found);
    return found;
  }

  /** Whether all sequences of bytes in these ranges lead from one state to another. */
  #loops(from: State, to: State, [range, ...rest]: readonly ByteRange[]): boolean {
    if (range === undefined) return from === to;
    const next = new Set<State | null>();
    for (let byte = range[0]; byte <= range[1]; byte++) next.add(this.#machine.step(from, byte));
    return [...next].every((state) => state !== null && this.#loops(state, to, rest));
  }

  #limited(state: State, free: Inside, left: number): Inside {
    const { all } = this.#tries;
    const bits = new Uint32Array(this.#bits.length);
    addTo(bits, free.mask);
    const short = this.#tries.atMost(left);
    for (let word = 0; word < bits.length; word++) bits[word]! &= short[word]!;
    const leaves = free.leaves.filter(({ trie, node }) => trie.depth[node]! < left);
    this.#walk(all, state, { bits, leaves, longerThan: left });
    return { mask: packed(bits), leaves };
  }

  /** Turns that the loop around a place may still take, the one that is begun included. */
  #turnsLeft({ position, count }: Place): number {
    const loop = this.#loopAt(position);
    return loop === undefined ? Number.POSITIVE_INFINITY : loop.most - count;
  }

  #unlimited({ position, count }: Place): number {
    const loop = this.#loopAt(position);
    return loop === undefined ? count : unlimited(count, loop.least);
  }

  #loopAt(position: number): Loop | undefined {
    const { positions, loopOf } = this.#machine.automaton;
    const loop = positions[loopOf[position]!];
    return loop?.type === "loop" ? loop : undefined;
  }

  /** Finds the tokens of a tree that may come in a state. */
  #walk(trie: TokenTrie, state: State, { bits, leaves, from = 0, to = trie.nodes, longerThan = 0 }: Walk): void {
    const { byte, depth, end, first, ids, deepest, isPlainBelow } = trie;
    const { classOf } = this.#machine.automaton;
    const path = this.#path;
    if (from >= to) return;
    path[depth[from]!] = state;
    for (let node = from; node < to; ) {
      const level = depth[node]!;
      const before = path[level]!;
      const kind = classOf[byte[node]!]!;
      const known = before.next[kind];
      const next = deepest[node]! <= longerThan ? null : known === undefined ? this.#machine.stepClass(before, kind) : known;
      const behind = end[node]!;
      if (next === null) {
        node = behind;
        continue;
      }
      // All tokens below go on where every byte of theirs leads back to the state.
      const isWhole = behind - node > fewNodes && isPlainBelow[node] === 1 && longerThan === 0 && this.#loopsOnAscii(next);
      const last = isWhole ? behind : node + 1;
      for (let i = first[node]!; i < first[last]!; i++) {
        const id = ids[i]!;
        bits[id >>> 5]! |= 1 << (id & 31);
      }
      if (leaves !== undefined && next.isEnd && behind > node + 1) leaves.push({ trie, node });
      path[level + 1] = next;
      node = last;
    }
  }
}

/** Nodes that are as fast walked over as looked at together. */
const fewNodes = 8;

/** Bytes of ASCII that a string of JSON holds as they are. */
const plainBytes = Array.from({ length: 0x80 }, (_, byte) => byte).filter(isPlainByte);

/** Characters of two and more bytes. */
const beyondAscii: CodePoints = [[0x80, lastCodePoint]];

/** Sets the bits of a mask's tokens, and clears none. */
export function addTo(bits: Uint32Array, mask: TokenMask): void {
  if (mask instanceof Int32Array) for (const id of mask) bits[id >>> 5]! |= 1 << (id & 31);
  else for (let word = 0; word < mask.length; word++) bits[word]! |= mask[word]!;
}

function packed(bits: Uint32Array): TokenMask {
  let count = 0;
  for (let i = 0; i < bits.length; i++) if (bits[i] !== 0) count += ones(bits[i]!);
  if (count > mostListed) return bits.slice();
  const ids = new Int32Array(count);
  let at = 0;
  for (let i = 0; i < bits.length; i++)
    for (let rest = bits[i]!; rest !== 0; rest &= rest - 1) ids[at++] = 32 * i + (31 - Math.clz32(rest & -rest));
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
