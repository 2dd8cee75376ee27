// Rules as a pushdown automaton over bytes: every rule is a nondeterministic automaton whose edges read a byte or call a rule.
import { check, fail } from "../base/index.ts";
import { emitRules } from "./emit.ts";
import type { GrammarRules } from "./expression.ts";

/** A place in a rule. `next`, `to` and `body` are indices of positions. */
export type Position =
  /** Reads a byte that is in a set, and goes on. */
  | { readonly type: "read"; readonly set: number; readonly next: number }
  /** Goes on in any of these places. */
  | { readonly type: "split"; readonly to: readonly number[] }
  /** Reads a text of another rule, and goes on. */
  | { readonly type: "call"; readonly rule: number; readonly next: number }
  /** Reads the body `least` to `most` times, and goes on; how often it was read is counted. */
  | { readonly type: "loop"; readonly least: number; readonly most: number; readonly body: number; readonly next: number }
  /** The end of the body of a loop. */
  | { readonly type: "turn"; readonly loop: number }
  /** The end of a rule. */
  | { readonly type: "end" };

/** Rules as positions. */
export interface Positions {
  readonly positions: readonly Position[];
  /** The loop whose body a position lies in, or −1. */
  readonly loopOf: readonly number[];
  /** The first position of every rule. */
  readonly starts: readonly number[];
  /** Names by rule: bodies of loops that became rules of their own have the name of theirs. */
  readonly names: readonly string[];
  /** Sets of bytes: 256 numbers each, 1 for a member. */
  readonly sets: readonly Uint8Array[];
}

/** A pushdown automaton whose every way on leads to an end. */
export interface Automaton extends Omit<Positions, "sets"> {
  /** Sets of classes of bytes: two bytes of one class are in the same sets. */
  readonly sets: readonly Uint8Array[];
  readonly classOf: Uint8Array;
  readonly classes: number;
  /** Positions from which an end is within reach; the others are passed over. */
  readonly isAlive: Uint8Array;
  /** Rules that have the empty text. */
  readonly isNullable: readonly boolean[];
  /** A rule that begins with another one, perhaps behind empty texts, has the lower rank. */
  readonly ranks: readonly number[];
  /** Rules by their rank. */
  readonly byRank: readonly number[];
}

/**
 * @param where begins messages
 * @throws CriaError naming the rule that is left-recursive, the one that has no text, or the limit that is exceeded
 */
export function compileRules(rules: GrammarRules, where: string): Automaton {
  const emitted = emitRules(rules, where);
  const isAlive = aliveOf(emitted.positions, emitted.starts);
  check(isAlive[emitted.starts[0]!] === 1, where, () => withoutText(emitted, isAlive));
  const isNullable = nullableRules(emitted, isAlive);
  const ranks = ranksOf(emitted, isAlive, isNullable, where);
  const byRank: number[] = [];
  ranks.forEach((rank, rule) => {
    byRank[rank] = rule;
  });
  return { ...emitted, ...byteClasses(emitted.sets), isAlive, isNullable, ranks, byRank };
}

/** Says which rule is to blame that the root has no text: one that needs no other such rule, or else the root itself. */
function withoutText(emitted: Positions, isAlive: Uint8Array): string {
  const { starts, names } = emitted;
  const seen = new Set([0]);
  for (const rule of seen) {
    const dead = [...callsOf(emitted, rule)].filter((other) => isAlive[starts[other]!] === 0);
    if (dead.length === 0) return `${names[rule]}: no text is valid, and one must be: what is required contradicts itself`;
    for (const other of dead) seen.add(other);
  }
  return `${names[0]}: no text is valid: what is required has no end`;
}

/** The rules that a rule calls anywhere. */
function callsOf({ positions, starts }: Positions, rule: number): Set<number> {
  const calls = new Set<number>();
  const seen = new Set([starts[rule]!]);
  for (const at of seen) {
    const position = positions[at]!;
    if (position.type === "call") calls.add(position.rule);
    if (position.type === "split") for (const to of position.to) seen.add(to);
    else if (position.type === "loop") seen.add(position.body);
    if ("next" in position) seen.add(position.next);
  }
  return calls;
}

/** Positions from which an end of their rule can be reached in finitely many steps. */
function aliveOf(positions: readonly Position[], starts: readonly number[]): Uint8Array {
  const alive = new Uint8Array(positions.length);
  const isAlive = (position: Position): boolean => {
    switch (position.type) {
      case "end":
        return true;
      case "read":
        return alive[position.next] === 1;
      case "split":
        return position.to.some((to) => alive[to] === 1);
      case "call":
        return alive[position.next] === 1 && alive[starts[position.rule]!] === 1;
      case "loop":
        return alive[position.next] === 1 && (position.least === 0 || alive[position.body] === 1);
      case "turn": {
        const loop = positions[position.loop]!;
        return loop.type === "loop" && alive[loop.next] === 1;
      }
      default:
        return position satisfies never;
    }
  };
  untilStable(positions, (position, i) => {
    if (alive[i] === 1 || !isAlive(position)) return false;
    alive[i] = 1;
    return true;
  });
  return alive;
}

/** Rules whose end is within reach of their start without a byte. */
function nullableRules({ positions, starts }: Positions, isAlive: Uint8Array): boolean[] {
  const nullable = new Uint8Array(positions.length);
  const isNullable = (position: Position): boolean => {
    switch (position.type) {
      case "end":
        return true;
      case "split":
        return position.to.some((to) => nullable[to] === 1);
      case "call":
        return nullable[position.next] === 1 && nullable[starts[position.rule]!] === 1;
      case "loop":
        return position.least === 0 && nullable[position.next] === 1;
      default:
        return false;
    }
  };
  untilStable(positions, (position, i) => {
    if (nullable[i] === 1 || isAlive[i] === 0 || !isNullable(position)) return false;
    nullable[i] = 1;
    return true;
  });
  return starts.map((start) => nullable[start] === 1);
}

/** Calls `change` for every position again and again until it changes nothing; positions mostly lead to those before them. */
function untilStable(positions: readonly Position[], change: (position: Position, i: number) => boolean): void {
  for (let isStable = false; !isStable; ) {
    isStable = true;
    positions.forEach((position, i) => {
      if (change(position, i)) isStable = false;
    });
  }
}

/** Rules in the order of who begins with whom. @throws CriaError where a rule begins with itself */
function ranksOf(emitted: Positions, isAlive: Uint8Array, isNullable: readonly boolean[], where: string): number[] {
  const { starts, names } = emitted;
  const ranks = new Array<number>(starts.length).fill(-1);
  const state = new Uint8Array(starts.length);
  let rank = starts.length;
  // A walk in depth with a stack of its own, because chains of rules may be long.
  starts.forEach((_, root) => {
    const stack = [root];
    while (stack.length > 0) {
      const rule = stack.at(-1)!;
      if (state[rule] === 0) {
        state[rule] = 1;
        for (const first of firstCalls(emitted, isAlive, isNullable, rule)) {
          if (state[first] === 1)
            fail(where, `${names[first]} begins with itself: write the repetition behind what is repeated, as in item ("," item)*`);
          if (state[first] === 0) stack.push(first);
        }
      } else {
        stack.pop();
        if (state[rule] === 2) continue;
        state[rule] = 2;
        ranks[rule] = rank--;
      }
    }
  });
  return ranks;
}

/** The rules that a rule may call before it has read a byte. */
function firstCalls({ positions, starts }: Positions, isAlive: Uint8Array, isNullable: readonly boolean[], rule: number): Set<number> {
  const found = new Set<number>();
  const seen = new Set<number>();
  const open = [starts[rule]!];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (seen.has(at) || isAlive[at] === 0) continue;
    seen.add(at);
    const position = positions[at]!;
    if (position.type === "split") open.push(...position.to);
    else if (position.type === "loop") open.push(position.body, ...(position.least === 0 ? [position.next] : []));
    else if (position.type === "call") {
      found.add(position.rule);
      if (isNullable[position.rule]) open.push(position.next);
    }
  }
  return found;
}

function byteClasses(sets: readonly Uint8Array[]): Pick<Automaton, "sets" | "classOf" | "classes"> {
  const known = new Map<string, number>();
  const examples: number[] = [];
  const classOf = Uint8Array.from({ length: 256 }, (_, byte) => {
    const key = sets.map((set) => set[byte]).join("");
    const found = known.get(key) ?? known.size;
    if (found === known.size) examples.push(byte);
    known.set(key, found);
    return found;
  });
  return { sets: sets.map((set) => Uint8Array.from(examples, (byte) => set[byte]!)), classOf, classes: known.size };
}
