// Atomic groups and possessive repetitions as look-ahead. `(?>A)` is the first match of A, whatever follows. A part that has one match at most from a
// position stays as it is; of alternatives the second is taken where the first with the rest of A does not match; a greedy repetition goes on as long
// as one more with the rest matches, and stops where none does. Then nothing in the group has a second match, and atomic is what it is anyway.
import { either, isNullable, type Node, nothing, sequence } from "./syntax.ts";

/** The tree without atomic groups. @param refuse is called where a group has no such form */
export function withoutAtomics(node: Node, refuse: (at: number, reason: string) => never): Node {
  let steps = 0;
  const groupAt = (at: number): Group => ({
    refuse: (reason) => refuse(at, reason),
    step: () => {
      if (++steps > mostSteps) refuse(at, "an atomic group with so many ways to match is not supported");
    },
  });
  const walk = (one: Node): Node => {
    switch (one.type) {
      case "set":
      case "edge":
        return one;
      case "sequence":
        return sequence(...one.parts.map(walk));
      case "either":
        return either(one.parts.map(walk));
      case "repeat":
      case "look":
        return { ...one, body: walk(one.body) };
      case "atomic":
        return { type: "atomic", body: first([walk(one.body)], groupAt(one.at)), at: one.at };
      default:
        return one satisfies never;
    }
  };
  return walk(node);
}

const ahead = (isNegative: boolean, ...parts: readonly Node[]): Node => ({
  type: "look",
  body: sequence(...parts),
  isBehind: false,
  isNegative,
});

interface Group {
  readonly refuse: (reason: string) => never;
  /** Counts, because alternatives in repetitions in a group can have any number of combinations. */
  readonly step: () => void;
}

const mostSteps = 2_000;

/** What matches exactly where the parts in a row have their first match. */
function first(parts: readonly Node[], group: Group): Node {
  group.step();
  const [head, ...rest] = parts;
  if (head === undefined) return nothing;
  if (isSingle(head)) return sequence(head, first(rest, group));
  switch (head.type) {
    case "sequence":
      return first([...head.parts, ...rest], group);
    case "either":
      return either(
        head.parts.map((part, i) => {
          const earlier = head.parts.slice(0, i).map((one) => sequence(one, ...rest));
          return sequence(...(earlier.length === 0 ? [] : [ahead(true, either(earlier))]), first([part, ...rest], group));
        }),
      );
    case "repeat":
      return firstRepeat(head, rest, group);
    default:
      return group.refuse("this atomic group is not supported");
  }
}

function firstRepeat(head: Extract<Node, { type: "repeat" }>, rest: readonly Node[], group: Group): Node {
  const { body, least, most, isLazy } = head;
  if (least > 0) {
    const more: Node = { ...head, least: 0, most: most === undefined ? undefined : most - least };
    return first([...Array.from({ length: least }, () => body), ...(most === least ? [] : [more]), ...rest], group);
  }
  if (most === 0) return first(rest, group);
  if (most !== undefined && most > 50) return group.refuse("a repetition of up to more than 50 times in an atomic group is not supported");
  if (most !== undefined) {
    const again = sequence(body, { ...head, most: most - 1 });
    return first([either(isLazy ? [nothing, again] : [again, nothing]), ...rest], group);
  }
  if (isNullable(body)) return group.refuse("a repetition of what may be empty in an atomic group is not supported");
  if (isLazy && rest.length === 0) return nothing;
  if (isSingle(body)) return isLazy ? upToRest(head, rest, group) : asLongAs(head, rest, group);
  if (isLazy || rest.length > 0)
    return group.refuse("a repetition of what can match in several ways, with something behind it, in an atomic group is not supported");
  return sequence({ ...head, body: first([body], group) }, ahead(true, body));
}

/** `(?>B*?C)`: the body where the rest does not match. */
function upToRest(head: Extract<Node, { type: "repeat" }>, rest: readonly Node[], group: Group): Node {
  return sequence({ ...head, body: sequence(ahead(true, ...rest), head.body) }, first(rest, group));
}

/** `(?>B*C)`: the body where `BB*C` matches, and the rest where it does not. */
function asLongAs(head: Extract<Node, { type: "repeat" }>, rest: readonly Node[], group: Group): Node {
  const { body } = head;
  if (rest.length === 0) return sequence(head, ahead(true, body));
  const again = [body, head, ...rest];
  return sequence({ ...head, body: sequence(ahead(false, ...again), body) }, ahead(true, ...again), first(rest, group));
}

/** Whether the node has one match at most from any position. */
function isSingle(node: Node): boolean {
  switch (node.type) {
    case "set":
    case "edge":
    case "look":
    case "atomic":
      return true;
    case "sequence":
      return node.parts.every(isSingle);
    case "either":
      return false;
    case "repeat":
      return node.least === node.most && isSingle(node.body);
    default:
      return node satisfies never;
  }
}
