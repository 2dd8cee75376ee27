// The tokens of a vocabulary by their bytes, as a tree in arrays: a walk over it visits every beginning that tokens share once.
import { check, inSlices, type Sliced, validUpTo, wholly } from "../base/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";

/** Nodes in the order of a walk in depth: the nodes below node i are i + 1 … end[i] − 1. Node 0 is the first byte of the first token, there is no root. */
export interface TokenTrie {
  /** Token ids are below it. */
  readonly vocabSize: number;
  readonly nodes: number;
  /** The byte that leads to a node. */
  readonly byte: Uint8Array;
  /** Bytes in front of a node's own. */
  readonly depth: Uint16Array;
  readonly end: Int32Array;
  /** The tokens that end at node i are ids[first[i]] … ids[first[i + 1] − 1]. */
  readonly first: Int32Array;
  readonly ids: Int32Array;
  /** Bytes of the longest token at or below a node. */
  readonly deepest: Uint16Array;
  /** 1 where all bytes below a node are {@link isPlainByte}. */
  readonly isPlainBelow: Uint8Array;
  /** Bytes of the longest token. */
  readonly longest: number;
}

/** A vocabulary's tokens as walks need them. */
export interface TokenTries {
  readonly all: TokenTrie;
  /** Tokens of whole characters that strings of JSON hold as they are, as bits; and the tree of all others. */
  readonly plain: Uint32Array;
  readonly others: TokenTrie;
  /** The tokens of at most so many bytes, as bits. */
  atMost(bytes: number): Uint32Array;
}

const tries = new WeakMap<Tokenizer, TokenTries>();

/**
 * A tokenizer's tokens that stand for text: special pieces, the unknown one and those that no text becomes are not among them.
 * @throws CriaError where the tokenizer's decoding changes pieces by what is beside them, so that a token has no bytes of its own
 */
export function tokenTries(tokenizer: Tokenizer): TokenTries {
  const known = tries.get(tokenizer) ?? wholly(makeTokenTries(tokenizer));
  tries.set(tokenizer, known);
  return known;
}

/** Makes in slices what the first grammar of a tokenizer needs: a large vocabulary takes a tenth of a second. @throws CriaError as {@link tokenTries} */
export async function prepareTokens(tokenizer: Tokenizer, signal?: AbortSignal): Promise<void> {
  if (!tries.has(tokenizer)) tries.set(tokenizer, await inSlices(makeTokenTries(tokenizer), signal));
}

function* makeTokenTries(tokenizer: Tokenizer): Sliced<TokenTries> {
  return yield* makeTries(yield* tokenBytes(tokenizer));
}

/** Tokens between two places where others may get on: less than a millisecond. */
const tokensPerSlice = 2048;

/** The bytes of each token inside of a text; undefined for tokens that are no text. */
function* tokenBytes(tokenizer: Tokenizer): Sliced<(Uint8Array | undefined)[]> {
  const { wordSuffix, charsmap, separator, stripEnd } = tokenizer.decoding;
  const changing = Object.entries({ wordSuffix, charsmap, separator: separator || undefined, stripEnd: stripEnd || undefined });
  const found = changing.find(([, value]) => value !== undefined)?.[0];
  check(
    found === undefined,
    "grammar",
    () => `the tokenizer's decoding changes pieces by those beside them (${found}), so that no grammar can tell which text a token adds`,
  );
  const silent = new Set([...tokenizer.model.specials, ...(tokenizer.model.unused ?? []), tokenizer.unkId]);
  const tokens: (Uint8Array | undefined)[] = [];
  for (let id = 0; id < tokenizer.vocabSize; id++) {
    const bytes = silent.has(id) ? undefined : tokenizer.pieceBytes(id);
    tokens.push(bytes === undefined || bytes.length === 0 ? undefined : bytes);
    if (id % tokensPerSlice === 0) yield;
  }
  return tokens;
}

/** @param tokens by id */
export function createTries(tokens: readonly (Uint8Array | undefined)[]): TokenTries {
  return wholly(makeTries(tokens));
}

function* makeTries(tokens: readonly (Uint8Array | undefined)[]): Sliced<TokenTries> {
  const words = Math.ceil(tokens.length / 32);
  const bitsOf = (isIn: (bytes: Uint8Array) => boolean) => {
    const bits = new Uint32Array(words);
    tokens.forEach((bytes, id) => {
      if (bytes !== undefined && isIn(bytes)) bits[id >>> 5]! |= 1 << (id & 31);
    });
    return bits;
  };
  const byLength = new Map<number, Uint32Array>();
  const all = yield* createTrie(tokens);
  const plain = bitsOf(isPlain);
  yield;
  return {
    all,
    plain,
    others: yield* createTrie(tokens.map((bytes, id) => ((plain[id >>> 5]! >>> (id & 31)) & 1 ? undefined : bytes))),
    atMost(length) {
      const known = byLength.get(length) ?? bitsOf((bytes) => bytes.length <= length);
      byLength.set(length, known);
      return known;
    },
  };
}

/** Bytes of ASCII that a string of JSON holds as they are. */
export function isPlainByte(byte: number): boolean {
  return byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c;
}

function isPlain(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte >= 0x80 || isPlainByte(byte)) && validUpTo(bytes) === bytes.length;
}

function* createTrie(tokens: readonly (Uint8Array | undefined)[]): Sliced<TokenTrie> {
  const ids = yield* inOrder(tokens);
  const total = ids.reduce((sum, id) => sum + tokens[id]!.length, 0);
  const byte = new Uint8Array(total);
  const depth = new Uint16Array(total);
  const end = new Int32Array(total);
  const first = new Int32Array(total + 1);
  const path: number[] = [];
  let nodes = 0;
  let before: Uint8Array = new Uint8Array(0);
  for (const [i, id] of ids.entries()) {
    if (i % tokensPerSlice === 0) yield;
    const bytes = tokens[id]!;
    let shared = 0;
    while (shared < before.length && before[shared] === bytes[shared]) shared++;
    while (path.length > shared) end[path.pop()!] = nodes;
    for (let at = shared; at < bytes.length; at++) {
      byte[nodes] = bytes[at]!;
      depth[nodes] = at;
      path.push(nodes);
      first[nodes++] = i;
    }
    before = bytes;
  }
  while (path.length > 0) end[path.pop()!] = nodes;
  first[nodes] = ids.length;
  yield;
  const deepest = deepestOf({ end, depth, first, nodes });
  yield;
  const isPlainBelow = plainBelow({ end, byte, nodes });
  yield;
  const longest = ids.reduce((most, id) => Math.max(most, tokens[id]!.length), 0);
  const cut = { byte: byte.slice(0, nodes), depth: depth.slice(0, nodes), end: end.slice(0, nodes), first: first.slice(0, nodes + 1) };
  return { vocabSize: tokens.length, nodes, ...cut, ids: Int32Array.from(ids), deepest, isPlainBelow, longest };
}

/** The ids of all tokens by their bytes: sorted by the first two at first, because half of a vocabulary may begin with a space. */
function* inOrder(tokens: readonly (Uint8Array | undefined)[]): Sliced<number[]> {
  const ids: number[] = [];
  for (let id = 0; id < tokens.length; id++) if (tokens[id] !== undefined) ids.push(id);
  const sorted: number[] = [];
  let yielded = 0;
  for (const alike of byByte(ids, tokens, 0))
    for (const more of byByte(alike, tokens, 1)) {
      for (const id of more.sort((a, b) => compare(tokens[a]!, tokens[b]!))) sorted.push(id);
      if (sorted.length - yielded < tokensPerSlice) continue;
      yielded = sorted.length;
      yield;
    }
  return sorted;
}

/** Ids in lists by the token's byte at a place; those of tokens that end before it come first. */
function byByte(ids: readonly number[], tokens: readonly (Uint8Array | undefined)[], at: number): readonly number[][] {
  if (ids.length < 2) return [[...ids]];
  const lists = Array.from({ length: 257 }, (): number[] => []);
  for (const id of ids) lists[(tokens[id]![at] ?? -1) + 1]!.push(id);
  return lists;
}

function plainBelow({ end, byte, nodes }: Pick<TokenTrie, "end" | "byte" | "nodes">): Uint8Array {
  const isPlain = new Uint8Array(nodes).fill(1);
  for (let node = nodes - 1; node >= 0; node--)
    for (let below = node + 1; below < end[node]!; below = end[below]!)
      if (isPlain[below] === 0 || !isPlainByte(byte[below]!)) isPlain[node] = 0;
  return isPlain;
}

/** Bytes of the longest token at or below each node: of the last nodes first. */
function deepestOf({ end, depth, first, nodes }: Pick<TokenTrie, "end" | "depth" | "first" | "nodes">): Uint16Array {
  const deepest = new Uint16Array(nodes);
  for (let node = nodes - 1; node >= 0; node--) {
    if (first[node]! < first[node + 1]!) deepest[node] = depth[node]! + 1;
    for (let below = node + 1; below < end[node]!; below = end[below]!) deepest[node] = Math.max(deepest[node]!, deepest[below]!);
  }
  return deepest;
}

function compare(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}
