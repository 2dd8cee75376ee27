// Expressions as positions of an automaton over bytes, from their ends to their beginnings.
import { check, fail } from "../base/index.ts";
import type { CodePoints } from "../regex/index.ts";
import type { Position, Positions } from "./automaton.ts";
import type { Expression, GrammarRules, GraphNode } from "./expression.ts";
import { type ByteRange, utf8Ranges } from "./utf8-ranges.ts";

/** The most positions that all rules of a grammar may have together. */
const mostPositions = 250_000;

/** A repetition with a limit above this is counted while a text is read, instead of being written out. */
const mostWrittenOut = 3;

/** @throws CriaError where there would be more positions than a grammar may have */
export function emitRules(rules: GrammarRules, where: string): Positions {
  return new Emitter(rules, where).emitAll();
}

type Repeat = Extract<Expression, { type: "repeat" }>;

class Emitter {
  readonly #where: string;
  readonly #positions: Position[] = [];
  readonly #loopOf: number[] = [];
  readonly #starts: number[] = [];
  readonly #names: string[];
  readonly #bodies: Expression[];
  readonly #isNullable: readonly boolean[];
  readonly #sets: Uint8Array[] = [];
  readonly #setIds = new Map<string, number>();
  /** Rules that were made of repetitions inside of repetitions. */
  readonly #loopRules = new Map<Repeat, number>();
  readonly #rangesOf = new Map<CodePoints, readonly ByteRange[][]>();
  /** The loop whose body is being emitted, or −1. */
  #loop = -1;
  #rule = 0;

  constructor({ names, bodies }: GrammarRules, where: string) {
    this.#where = where;
    this.#names = [...names];
    this.#bodies = [...bodies];
    this.#isNullable = nullableBodies(bodies);
  }

  emitAll(): Positions {
    // Bodies of loops become rules behind the others while these are emitted.
    for (this.#rule = 0; this.#rule < this.#bodies.length; this.#rule++) {
      this.#loop = -1;
      this.#starts.push(this.#emit(this.#bodies[this.#rule]!, this.#add({ type: "end" })));
    }
    return { positions: this.#positions, loopOf: this.#loopOf, starts: this.#starts, names: this.#names, sets: this.#sets };
  }

  #add(position: Position): number {
    check(
      this.#positions.length < mostPositions,
      this.#where,
      () =>
        `${this.#names[this.#rule]}: the grammar needs more than ${mostPositions} places of an automaton, which is its limit: make it smaller`,
    );
    this.#loopOf.push(this.#loop);
    return this.#positions.push(position) - 1;
  }

  /** The position where a text of the expression begins, behind which comes `next`. */
  #emit(expression: Expression, next: number): number {
    switch (expression.type) {
      case "text":
        return this.#text(expression.text, next);
      case "set":
        return this.#set(expression.set, next);
      case "sequence":
        return expression.parts.reduceRight((after, part) => this.#emit(part, after), next);
      case "either":
        return this.#add({ type: "split", to: expression.parts.map((part) => this.#emit(part, next)) });
      case "rule":
        return this.#add({ type: "call", rule: expression.rule, next });
      case "repeat":
        return this.#repeat(expression, next);
      case "graph":
        return this.#graph(expression.nodes, next);
      default:
        return expression satisfies never;
    }
  }

  #text(text: string, next: number): number {
    let at = next;
    const bytes = new TextEncoder().encode(text);
    for (let i = bytes.length - 1; i >= 0; i--) at = this.#read([[bytes[i]!, bytes[i]!]], at);
    return at;
  }

  #set(set: CodePoints, next: number): number {
    const ranges = this.#rangesOf.get(set) ?? utf8Ranges(set);
    this.#rangesOf.set(set, ranges);
    return this.#characters(ranges, next, new Map());
  }

  /** Sequences of ranges, of which those that end in the same way share their ends. */
  #characters(sequences: readonly (readonly ByteRange[])[], next: number, known: Map<string, number>): number {
    const byTail = new Map<string, { firsts: ByteRange[]; tail: readonly ByteRange[] }>();
    for (const [first, ...tail] of sequences) {
      const key = tail.join(" ");
      const found = byTail.get(key) ?? { firsts: [], tail };
      byTail.set(key, found);
      if (first !== undefined) found.firsts.push(first);
    }
    const reads = [...byTail].map(([key, { firsts, tail }]) => {
      const behind = tail.length === 0 ? next : (known.get(key) ?? this.#characters([tail], next, known));
      known.set(key, behind);
      return this.#read(firsts, behind);
    });
    const [only] = reads;
    return reads.length === 1 && only !== undefined ? only : this.#add({ type: "split", to: reads });
  }

  #read(ranges: readonly ByteRange[], next: number): number {
    const key = ranges.join(" ");
    const known = this.#setIds.get(key) ?? this.#sets.push(byteSet(ranges)) - 1;
    this.#setIds.set(key, known);
    return this.#add({ type: "read", set: known, next });
  }

  #graph(nodes: readonly GraphNode[], next: number): number {
    const heads = nodes.map(() => this.#add({ type: "split", to: [] }));
    nodes.forEach(({ isEnd, edges }, i) => {
      const to = edges.map(([label, target]) => this.#emit(label, heads[target]!));
      this.#positions[heads[i]!] = { type: "split", to: isEnd ? [next, ...to] : to };
    });
    return heads[0] ?? fail(this.#where, "a graph has no node");
  }

  #repeat(expression: Repeat, next: number): number {
    const { body, least, most } = expression;
    if (isNullable(body, this.#isNullable)) return this.#writtenOut(body, 0, most, next);
    if (!isCounted(expression)) return this.#writtenOut(body, least, most, next);
    // A place has one count: what is counted inside of a loop's body is a rule of its own.
    if (this.#loop >= 0) return this.#add({ type: "call", rule: this.#ruleOf(expression), next });
    return this.#counted(expression, next);
  }

  #writtenOut(body: Expression, least: number, most: number, next: number): number {
    let at = next;
    if (most === Number.POSITIVE_INFINITY) {
      const head = this.#add({ type: "split", to: [] });
      this.#positions[head] = { type: "split", to: [this.#emit(body, head), next] };
      at = head;
    } else for (let i = least; i < most; i++) at = this.#add({ type: "split", to: [this.#emit(body, at), next] });
    for (let i = 0; i < least; i++) at = this.#emit(body, at);
    return at;
  }

  #counted({ body, least, most }: Repeat, next: number): number {
    const loop = this.#add({ type: "end" });
    this.#loop = loop;
    const turn = this.#add({ type: "turn", loop });
    const start = this.#emit(body, turn);
    this.#loop = -1;
    this.#positions[loop] = { type: "loop", least, most, body: start, next };
    return loop;
  }

  #ruleOf(expression: Repeat): number {
    const known = this.#loopRules.get(expression);
    if (known !== undefined) return known;
    this.#names.push(this.#names[this.#rule]!);
    const rule = this.#bodies.push(expression) - 1;
    this.#loopRules.set(expression, rule);
    return rule;
  }
}

function isCounted({ least, most }: Repeat): boolean {
  return (most === Number.POSITIVE_INFINITY ? least : most) > mostWrittenOut;
}

function byteSet(ranges: readonly ByteRange[]): Uint8Array {
  const set = new Uint8Array(256);
  for (const [first, last] of ranges) set.fill(1, first, last + 1);
  return set;
}

/** Whether each rule has the empty text. */
function nullableBodies(bodies: readonly Expression[]): boolean[] {
  const nullable = bodies.map(() => false);
  for (let isStable = false; !isStable; ) {
    isStable = true;
    bodies.forEach((body, rule) => {
      if (nullable[rule] || !isNullable(body, nullable)) return;
      nullable[rule] = true;
      isStable = false;
    });
  }
  return nullable;
}

function isNullable(expression: Expression, rules: readonly boolean[]): boolean {
  switch (expression.type) {
    case "text":
      return expression.text === "";
    case "set":
      return false;
    case "sequence":
      return expression.parts.every((part) => isNullable(part, rules));
    case "either":
      return expression.parts.some((part) => isNullable(part, rules));
    case "repeat":
      return expression.least === 0 || isNullable(expression.body, rules);
    case "rule":
      return rules[expression.rule] ?? false;
    case "graph":
      return isNullableGraph(expression.nodes, rules);
    default:
      return expression satisfies never;
  }
}

function isNullableGraph(nodes: readonly GraphNode[], rules: readonly boolean[]): boolean {
  const seen = new Set([0]);
  for (const at of seen) {
    if (nodes[at]?.isEnd) return true;
    for (const [label, to] of nodes[at]?.edges ?? []) if (isNullable(label, rules)) seen.add(to);
  }
  return false;
}
