// A tree as a nondeterministic automaton with priorities (Thompson 1968; Pike's order of threads): of two ways on from a state the first is better.
import { Alphabet } from "./alphabet.ts";
import { withoutAtomics } from "./atomic.ts";
import { type CodePoints, codePoints } from "./code-points.ts";
import { PatternError, parse } from "./parse.ts";
import { type Edge, isNullable, type Node } from "./syntax.ts";
import { named } from "./unicode.ts";

/** A state of an automaton; `next`, `first` and `second` are indices of states. */
export type State =
  | { readonly type: "match" }
  /** Reads a character whose class is in `classes`. */
  | { readonly type: "read"; readonly classes: Uint8Array; readonly next: number }
  | { readonly type: "split"; readonly first: number; readonly second: number }
  | { readonly type: "edge"; readonly edge: Edge; readonly next: number }
  /** Goes on where a match begins at state `start`, or where none does. */
  | { readonly type: "ahead"; readonly start: number; readonly isNegative: boolean; readonly next: number }
  /** Goes on where look-behind number `bit` holds, or where it does not. */
  | { readonly type: "behind"; readonly bit: number; readonly isNegative: boolean; readonly next: number };

/** A nondeterministic automaton with priorities. */
export interface Automaton {
  readonly states: readonly State[];
  readonly start: number;
  readonly alphabet: Alphabet;
  /** Classes of \w and of the line end, for edges. */
  readonly words: Uint8Array;
  readonly newlines: Uint8Array;
  /** All states, those that one reaches without a character before it. */
  readonly order: readonly number[];
  /** Look-behinds as automata that read backwards. */
  readonly behinds: readonly Automaton[];
}

const mostStates = 4_000;
const mostClasses = 400;
const mostBehinds = 3;

/** @throws PatternError where the pattern is not supported or too large */
export function compile(pattern: string): Automaton {
  const tree = withoutAtomics(parse(pattern), (at, reason) => {
    throw new PatternError(pattern, at, reason);
  });
  const sets = setsOf(tree);
  const alphabet = new Alphabet([...sets, named("word"), newline], mostClasses, (size) => {
    throw new PatternError(
      pattern,
      0,
      `the pattern's classes cut the characters into ${size} kinds, and at most ${mostClasses} are supported`,
    );
  });
  const behinds: Node[] = [];
  const main = new Emitter(pattern, alphabet, behinds, false).automaton(tree, []);
  if (behinds.length > mostBehinds)
    throw new PatternError(pattern, 0, `the pattern has ${behinds.length} look-behinds, and at most ${mostBehinds} are supported`);
  return { ...main, behinds: behinds.map((body) => new Emitter(pattern, alphabet, [], true).automaton(body, [])) };
}

const newline = codePoints([[10, 10]]);

function setsOf(node: Node): Set<CodePoints> {
  const found = new Set<CodePoints>();
  const seen = new Set<Node>();
  const walk = (one: Node): void => {
    if (seen.has(one)) return;
    seen.add(one);
    if (one.type === "set") found.add(one.set);
    else if (one.type === "sequence" || one.type === "either") one.parts.forEach(walk);
    else if (one.type !== "edge") walk(one.body);
  };
  walk(node);
  return found;
}

class Emitter {
  readonly #pattern: string;
  readonly #alphabet: Alphabet;
  readonly #behinds: Node[];
  readonly #isBackwards: boolean;
  readonly #states: State[] = [{ type: "match" }];
  readonly #classes = new Map<CodePoints, Uint8Array>();
  #calls = 0;

  constructor(pattern: string, alphabet: Alphabet, behinds: Node[], isBackwards: boolean) {
    this.#pattern = pattern;
    this.#alphabet = alphabet;
    this.#behinds = behinds;
    this.#isBackwards = isBackwards;
  }

  automaton(tree: Node, behinds: readonly Automaton[]): Automaton {
    const start = this.#emit(tree, 0, 0);
    const words = this.#alphabet.classesOf(named("word"));
    const newlines = this.#alphabet.classesOf(newline);
    return { states: this.#states, start, alphabet: this.#alphabet, words, newlines, order: orderOf(this.#states), behinds };
  }

  #add(state: State): number {
    if (this.#states.length >= mostStates)
      throw new PatternError(this.#pattern, 0, `the pattern needs more than ${mostStates} states of an automaton, which is not supported`);
    return this.#states.push(state) - 1;
  }

  /**
   * The state in which a node's match begins. `to` is where a match goes on that has read no character, `moved` where one goes on that has: a
   * repetition ends with a turn that read nothing, as Oniguruma's does, and so no state is reached from itself without a character.
   */
  #emit(node: Node, to: number, moved: number): number {
    if (++this.#calls > 25 * mostStates)
      throw new PatternError(this.#pattern, 0, "the pattern's repetitions of repetitions are too large, which is not supported");
    switch (node.type) {
      case "set":
        return this.#add({ type: "read", classes: this.#classesOf(node.set), next: moved });
      case "edge":
        return this.#add({ type: "edge", edge: node.edge, next: to });
      case "sequence":
        return this.#sequence(node.parts, to, moved);
      case "either":
        return node.parts
          .map((part) => this.#emit(part, to, moved))
          .reduceRight((second, first) => this.#add({ type: "split", first, second }));
      case "atomic":
        return this.#emit(node.body, to, moved);
      case "repeat":
        return this.#repeat(node, to, moved);
      case "look":
        return this.#look(node, to);
      default:
        return node satisfies never;
    }
  }

  #classesOf(set: CodePoints): Uint8Array {
    const known = this.#classes.get(set) ?? this.#alphabet.classesOf(set);
    this.#classes.set(set, known);
    return known;
  }

  #sequence(parts: readonly Node[], to: number, moved: number): number {
    const inOrder = this.#isBackwards ? parts : [...parts].reverse();
    let still = to;
    let after = moved;
    inOrder.forEach((part, i) => {
      const next = this.#emit(part, still, after);
      const isShared = still === after;
      // What has moved before needs a copy of the part, except where nothing comes before.
      after = isShared || i === inOrder.length - 1 ? next : this.#emit(part, after, after);
      still = next;
    });
    return still;
  }

  #look({ body, isBehind, isNegative }: Extract<Node, { type: "look" }>, next: number): number {
    if (!isBehind) return this.#add({ type: "ahead", start: this.#emit(body, 0, 0), isNegative, next });
    const known = this.#behinds.indexOf(body);
    const bit = known < 0 ? this.#behinds.push(body) - 1 : known;
    return this.#add({ type: "behind", bit, isNegative, next });
  }

  #repeat({ body, least, most, isLazy }: Extract<Node, { type: "repeat" }>, to: number, moved: number): number {
    if (most !== undefined) {
      const start = this.#upTo(body, most - least, isLazy, to, moved);
      return this.#times(body, least, start);
    }
    const loop = this.#loop(body, isLazy, least > 0, to, moved);
    return this.#times(body, Math.max(0, least - 1), loop);
  }

  #times(body: Node, count: number, [to, moved]: readonly [number, number]): number {
    let still = to;
    let after = moved;
    for (let i = count; i > 0; i--) {
      const next = this.#emit(body, still, after);
      after = still === after || i === 1 ? next : this.#emit(body, after, after);
      still = next;
    }
    return still;
  }

  /** A choice between one more turn and what comes after. */
  #choice(turn: number, after: number, isLazy: boolean): number {
    return this.#add({ type: "split", first: isLazy ? after : turn, second: isLazy ? turn : after });
  }

  #upTo(body: Node, count: number, isLazy: boolean, to: number, moved: number): [number, number] {
    let still = to;
    let after = moved;
    for (let i = 0; i < count; i++) {
      const next = this.#choice(this.#emit(body, still, after), to, isLazy);
      after = still === after && to === moved ? next : this.#choice(this.#emit(body, after, after), moved, isLazy);
      still = next;
    }
    return [still, after];
  }

  /** Turns without limit: the states of a first turn and of one after a character. @param hasOne whether the first turn is no choice */
  #loop(body: Node, isLazy: boolean, hasOne: boolean, to: number, moved: number): [number, number] {
    const head = this.#add({ type: "match" });
    const turn = this.#emit(body, moved, head);
    this.#states[head] = { type: "split", first: isLazy ? moved : turn, second: isLazy ? turn : moved };
    const isShared = to === moved || !isNullable(body);
    const firstTurn = isShared ? turn : this.#emit(body, to, head);
    if (hasOne) return [firstTurn, turn];
    return [to === moved ? head : this.#choice(firstTurn, to, isLazy), head];
  }
}

/** States that others reach without a character come before these. */
function orderOf(states: readonly State[]): number[] {
  const order: number[] = [];
  const seen = new Uint8Array(states.length);
  states.forEach((_, root) => {
    const stack = [root];
    while (stack.length > 0) {
      const state = stack.pop() ?? 0;
      if (state < 0) order.push(~state);
      else if (seen[state] === 0) {
        seen[state] = 1;
        stack.push(~state, ...without(states[state]).filter((next) => seen[next] === 0));
      }
    }
  });
  return order;
}

/** The states that one reaches without a character. */
function without(state: State | undefined): readonly number[] {
  switch (state?.type) {
    case "split":
      return [state.first, state.second];
    case "edge":
    case "behind":
      return [state.next];
    case "ahead":
      return [state.start, state.next];
    default:
      return [];
  }
}
