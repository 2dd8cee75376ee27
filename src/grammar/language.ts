// Sets of strings as deterministic automata over characters, with the operations of sets: what patterns, lengths, names and formats say of a string.
import { type CodePoints, codePoints, complement, contains, intersection, union } from "../regex/index.ts";
import { allCharacters, type PatternNode, PatternProblem, parsePattern } from "./pattern.ts";

/** States by index, the first of them the start. A character that no edge has leads out of the language. */
export interface Language {
  readonly states: readonly LanguageState[];
}

/** Edges whose sets have no character in common. */
export interface LanguageState {
  readonly isEnd: boolean;
  readonly edges: readonly (readonly [set: CodePoints, to: number])[];
}

/** The most states of a language. */
const mostStates = 10_000;

/** All strings. */
export const anyString: Language = { states: [{ isEnd: true, edges: [[allCharacters, 0]] }] };

/** The strings in which an unanchored pattern of ECMA-262 is found. @throws PatternProblem where it is not supported or too large */
export function patternLanguage(source: string): Language {
  return minimal(determined(parsePattern(source)));
}

/** These strings alone. */
export function wordsLanguage(words: readonly string[]): Language {
  const states: { isEnd: boolean; next: Map<number, number> }[] = [{ isEnd: false, next: new Map() }];
  for (const word of words) {
    let at = 0;
    for (const char of word) {
      const point = char.codePointAt(0)!;
      const next = states[at]!.next.get(point) ?? states.push({ isEnd: false, next: new Map() }) - 1;
      states[at]!.next.set(point, next);
      at = next;
    }
    states[at]!.isEnd = true;
  }
  return { states: states.map(({ isEnd, next }) => ({ isEnd, edges: [...next].map(([point, to]) => [[[point, point]], to]) })) };
}

/** Strings of at least `least` and at most `most` characters. */
export function lengthLanguage(least: number, most: number): Language {
  const last = most === Number.POSITIVE_INFINITY ? least : most;
  limit(last + 1);
  const next = (i: number) => (i < last ? i + 1 : i);
  const edges = (i: number): LanguageState["edges"] => (i === last && most !== Number.POSITIVE_INFINITY ? [] : [[allCharacters, next(i)]]);
  return { states: Array.from({ length: last + 1 }, (_, i) => ({ isEnd: i >= least, edges: edges(i) })) };
}

/** All other strings. */
export function negated({ states }: Language): Language {
  const outside = states.length;
  const others = (edges: LanguageState["edges"]) => intersection(complement(union(...edges.map(([set]) => set))), allCharacters);
  const total = states.map(({ isEnd, edges }): LanguageState => ({ isEnd: !isEnd, edges: withEdge(edges, others(edges), outside) }));
  return { states: [...total, { isEnd: true, edges: [[allCharacters, outside]] }] };
}

function withEdge(edges: LanguageState["edges"], set: CodePoints, to: number): LanguageState["edges"] {
  return set.length === 0 ? edges : [...edges, [set, to]];
}

/** The strings that are in both. @throws PatternProblem where it has too many states */
export function both(a: Language, b: Language): Language {
  if (a === anyString) return b;
  if (b === anyString) return a;
  const known = new Map<number, number>([[0, 0]]);
  const pairs: (readonly [number, number])[] = [[0, 0]];
  const states: LanguageState[] = [];
  for (const [i, j] of pairs) {
    const edges: [CodePoints, number][] = [];
    for (const [first, left] of a.states[i]!.edges)
      for (const [second, right] of b.states[j]!.edges) {
        const set = common(first, second);
        if (set.length === 0) continue;
        const key = left * b.states.length + right;
        const to = known.get(key) ?? pairs.push([left, right]) - 1;
        known.set(key, to);
        limit(pairs.length);
        edges.push([set, to]);
      }
    states.push({ isEnd: a.states[i]!.isEnd && b.states[j]!.isEnd, edges });
  }
  return minimal({ states });
}

/** The strings that are in any of the languages. */
export function anyOf(languages: readonly Language[]): Language {
  const [first, ...rest] = languages;
  if (first === undefined) return { states: [{ isEnd: false, edges: [] }] };
  if (rest.length === 0) return first;
  return negated(languages.map(negated).reduce(both));
}

/** Ranges that both sets have, in one pass over both. */
function common(a: CodePoints, b: CodePoints): CodePoints {
  const found: (readonly [number, number])[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const first = Math.max(a[i]![0], b[j]![0]);
    const last = Math.min(a[i]![1], b[j]![1]);
    if (first <= last) found.push([first, last]);
    if (a[i]![1] < b[j]![1]) i++;
    else j++;
  }
  return found;
}

/** Whether a string is in the language. */
export function has({ states }: Language, text: string): boolean {
  let at = 0;
  for (const char of text) {
    const next = states[at]!.edges.find(([set]) => contains(set, char.codePointAt(0)!));
    if (next === undefined) return false;
    at = next[1];
  }
  return states[at]!.isEnd;
}

/** Whether no string is in the language. */
export function isEmpty({ states }: Language): boolean {
  const seen = new Set([0]);
  for (const at of seen) {
    if (states[at]!.isEnd) return false;
    for (const [, to] of states[at]!.edges) seen.add(to);
  }
  return true;
}

/** Whether all strings are in the language. */
export function isEverything(language: Language): boolean {
  return isEmpty(negated(language));
}

/** The characters of the shortest and of the longest string, Infinity where there is no longest. The language must not be empty. */
export function lengthsOf(language: Language): readonly [shortest: number, longest: number] {
  const { states } = trimmed(language);
  const depth = new Map([[0, 0]]);
  let shortest = Number.POSITIVE_INFINITY;
  for (const [at, length] of depth) {
    if (states[at]!.isEnd) shortest = Math.min(shortest, length);
    for (const [, to] of states[at]!.edges) if (!depth.has(to)) depth.set(to, length + 1);
  }
  return [shortest, longestWay(states, depth)];
}

/** Edges of the longest way from the start, Infinity where there is a cycle. @param reachable the states within reach of the start */
function longestWay(states: readonly LanguageState[], reachable: ReadonlyMap<number, number>): number {
  const waiting = new Map([...reachable.keys()].map((at) => [at, 0]));
  for (const at of reachable.keys()) for (const [, to] of states[at]!.edges) waiting.set(to, waiting.get(to)! + 1);
  const open = waiting.get(0) === 0 ? [{ at: 0, length: 0 }] : [];
  const lengths = new Map<number, number>();
  for (const { at, length } of open) {
    for (const [, to] of states[at]!.edges) {
      lengths.set(to, Math.max(lengths.get(to) ?? 0, length + 1));
      waiting.set(to, waiting.get(to)! - 1);
      if (waiting.get(to) === 0) open.push({ at: to, length: lengths.get(to)! });
    }
  }
  return open.length === reachable.size ? open.reduce((most, { length }) => Math.max(most, length), 0) : Number.POSITIVE_INFINITY;
}

/** The language without the states from which no end is within reach. */
export function trimmed({ states }: Language): Language {
  const sources = new Map<number, number[]>();
  states.forEach(({ edges }, from) => {
    for (const [, to] of edges) sources.set(to, [...(sources.get(to) ?? []), from]);
  });
  const alive = new Set(states.flatMap(({ isEnd }, i) => (isEnd ? [i] : [])));
  for (const at of alive) for (const from of sources.get(at) ?? []) alive.add(from);
  return { states: states.map(({ isEnd, edges }) => ({ isEnd, edges: edges.filter(([, to]) => alive.has(to)) })) };
}

function limit(states: number): void {
  if (states > mostStates) throw new PatternProblem(`it needs more than ${mostStates} states of an automaton, which is the limit`);
}

/** A language of more states is left as it is, because making it smaller takes quadratic time. */
const mostToMinimise = 400;

/** Equal states as one (Moore's partition refinement), dead ones and those out of reach left out. */
function minimal(language: Language): Language {
  const { states } = trimmed(language);
  if (states.length > mostToMinimise) return { states };
  let groups: number[] = states.map(({ isEnd }) => (isEnd ? 1 : 0));
  for (let count = 0; ; ) {
    const known = new Map<string, number>();
    groups = states.map(({ edges }, i) => {
      const key = `${groups[i]}|${merged(edges.map(([set, to]) => [set, groups[to]!] as const)).map(([set, to]) => `${to}:${set.join(",")}`)}`;
      const found = known.get(key) ?? known.size;
      known.set(key, found);
      return found;
    });
    if (known.size === count) break;
    count = known.size;
  }
  const order = [groups[0]!];
  const examples = new Map(groups.map((group, i) => [group, i]));
  const index = new Map([[groups[0]!, 0]]);
  const found: LanguageState[] = [];
  for (const group of order) {
    const { isEnd, edges } = states[examples.get(group)!]!;
    const to = merged(edges.map(([set, next]) => [set, groups[next]!] as const)).map(([set, next]) => {
      const known = index.get(next) ?? order.push(next) - 1;
      index.set(next, known);
      return [set, known] as const;
    });
    found.push({ isEnd, edges: to });
  }
  return { states: found };
}

/** One edge per target, in the order of targets. */
function merged(edges: readonly (readonly [CodePoints, number])[]): (readonly [CodePoints, number])[] {
  const byTarget = new Map<number, CodePoints[]>();
  for (const [set, to] of edges) byTarget.set(to, [...(byTarget.get(to) ?? []), set]);
  return [...byTarget].sort(([a], [b]) => a - b).map(([to, sets]) => [union(...sets), to]);
}

type Move =
  | { readonly type: "read"; readonly set: CodePoints; readonly next: number }
  | { readonly type: "split"; readonly to: readonly number[] }
  | { readonly type: "start" | "end"; readonly next: number }
  | { readonly type: "match" };

/** Thompson's automaton of a pattern with any text around it, made deterministic. */
function determined(tree: PatternNode): Language {
  const moves: Move[] = [];
  const add = (move: Move) => {
    if (moves.length > 20 * mostStates) throw new PatternProblem("its repetitions are too large, which is not supported");
    return moves.push(move) - 1;
  };
  const match = add({ type: "match" });
  const after = add({ type: "split", to: [] });
  moves[after] = { type: "split", to: [match, add({ type: "read", set: allCharacters, next: after })] };
  const body = emit(tree, after, add, moves);
  const before = add({ type: "split", to: [] });
  moves[before] = { type: "split", to: [body, add({ type: "read", set: allCharacters, next: before })] };
  return subsets(moves, before);
}

function emit(node: PatternNode, next: number, add: (move: Move) => number, moves: Move[]): number {
  switch (node.type) {
    case "set":
      return add({ type: "read", set: node.set, next });
    case "start":
    case "end":
      return add({ type: node.type, next });
    case "sequence":
      return node.parts.reduceRight((to, part) => emit(part, to, add, moves), next);
    case "either":
      return add({ type: "split", to: node.parts.map((part) => emit(part, next, add, moves)) });
    case "repeat": {
      let at = next;
      if (node.most === Number.POSITIVE_INFINITY) {
        at = add({ type: "split", to: [] });
        moves[at] = { type: "split", to: [emit(node.body, at, add, moves), next] };
      } else for (let i = node.least; i < node.most; i++) at = add({ type: "split", to: [emit(node.body, at, add, moves), next] });
      for (let i = 0; i < node.least; i++) at = emit(node.body, at, add, moves);
      return at;
    }
    default:
      return node satisfies never;
  }
}

/** The moves within reach without a character. @param isStart whether no character came before @param isEnd whether none comes after */
function reach(moves: readonly Move[], from: readonly number[], isStart: boolean, isEnd: boolean): number[] {
  const seen = new Set(from);
  for (const at of seen) {
    const move = moves[at]!;
    if (move.type === "split") for (const to of move.to) seen.add(to);
    else if ((move.type === "start" && isStart) || (move.type === "end" && isEnd)) seen.add(move.next);
  }
  return [...seen];
}

function subsets(moves: readonly Move[], start: number): Language {
  const sets: { from: readonly number[]; isStart: boolean }[] = [{ from: [start], isStart: true }];
  const known = new Map<string, number>();
  const states: LanguageState[] = [];
  for (const { from, isStart } of sets) {
    const isEnd = reach(moves, from, isStart, true).some((at) => moves[at]!.type === "match");
    const reads = reach(moves, from, isStart, false).flatMap((at) => {
      const move = moves[at]!;
      return move.type === "read" ? [move] : [];
    });
    const edges = partition(reads).map(([set, targets]): [CodePoints, number] => {
      const key = targets.join(" ");
      const to = known.get(key) ?? sets.push({ from: targets, isStart: false }) - 1;
      known.set(key, to);
      limit(sets.length);
      return [set, to];
    });
    states.push({ isEnd, edges });
  }
  return { states };
}

/** Cuts sets into parts whose characters lead to the same targets. */
function partition(reads: readonly { readonly set: CodePoints; readonly next: number }[]): (readonly [CodePoints, number[]])[] {
  const cuts = [...new Set(reads.flatMap(({ set }) => set.flatMap(([first, last]) => [first, last + 1])))].sort((a, b) => a - b);
  const parts = new Map<string, { ranges: [number, number][]; targets: number[] }>();
  cuts.forEach((first, i) => {
    const targets = [...new Set(reads.flatMap(({ set, next }) => (contains(set, first) ? [next] : [])))].sort((a, b) => a - b);
    if (targets.length === 0) return;
    const key = targets.join(" ");
    const part = parts.get(key) ?? { ranges: [], targets };
    parts.set(key, part);
    part.ranges.push([first, (cuts[i + 1] ?? 0x110000) - 1]);
  });
  return [...parts.values()].map(({ ranges, targets }) => [codePoints(ranges), targets]);
}
