// The slow judge of the automaton: the meaning of expressions by definition, as the ends of a text's stretches; and random grammars to judge by it.
import type { Rng } from "../base/index.ts";
import { contains } from "../regex/index.ts";
import { type Expression, either, empty, type GrammarRules, repeat, sequence, set, text } from "./expression.ts";

/** Whether a text is one of the root's. */
export function naiveAccepts({ bodies }: GrammarRules, source: string): boolean {
  const chars = [...source];
  const known = new Map<string, Set<number>>();
  const each = (starts: Iterable<number>, one: (start: number) => Iterable<number>) => new Set([...starts].flatMap((at) => [...one(at)]));
  const ends = (expression: Expression, from: number): Set<number> => {
    switch (expression.type) {
      case "text": {
        const wanted = [...expression.text];
        return new Set(wanted.every((char, i) => chars[from + i] === char) ? [from + wanted.length] : []);
      }
      case "set":
        return new Set(from < chars.length && contains(expression.set, chars[from]!.codePointAt(0)!) ? [from + 1] : []);
      case "sequence":
        return expression.parts.reduce((starts, part) => each(starts, (at) => ends(part, at)), new Set([from]));
      case "either":
        return new Set(expression.parts.flatMap((part) => [...ends(part, from)]));
      case "rule": {
        const key = `${expression.rule}:${from}`;
        const found = known.get(key);
        if (found !== undefined) return found;
        known.set(key, new Set()); // a rule that leads to itself and nowhere else has no text
        known.set(key, ends(bodies[expression.rule]!, from));
        return known.get(key)!;
      }
      case "repeat": {
        const found = new Set<number>();
        let starts = new Set([from]);
        for (let count = 0; count <= Math.min(expression.most, expression.least + chars.length + 1) && starts.size > 0; count++) {
          if (count >= expression.least) for (const at of starts) found.add(at);
          starts = each(starts, (at) => ends(expression.body, at));
        }
        return found;
      }
      case "graph": {
        const seen = new Set([`0:${from}`]);
        const found = new Set<number>();
        for (const place of seen) {
          const [node, at] = place.split(":").map(Number) as [number, number];
          if (expression.nodes[node]!.isEnd) found.add(at);
          for (const [label, to] of expression.nodes[node]!.edges) for (const end of ends(label, at)) seen.add(`${to}:${end}`);
        }
        return found;
      }
      default:
        return expression satisfies never;
    }
  };
  return ends(bodies[0]!, 0).has(chars.length);
}

const letters = ["a", "b", "é", "😀"];

/** A text of few letters, so that it is often valid. */
export function randomText(rng: Rng, most: number): string {
  return Array.from({ length: rng.below(most + 1) }, () => letters[rng.below(letters.length)]).join("");
}

/** A grammar of up to four rules, which may be contradictory or left-recursive. */
export function randomRules(rng: Rng): GrammarRules {
  const count = 1 + rng.below(4);
  const points = () => letters.filter(() => rng.below(2) === 0).map((char) => [char.codePointAt(0)!, char.codePointAt(0)!] as const);
  const list = (depth: number) => Array.from({ length: rng.below(4) }, () => expression(depth - 1));
  const expression = (depth: number): Expression => {
    const kind = rng.below(depth > 0 ? 12 : 4);
    if (kind < 2) return text(randomText(rng, 2));
    if (kind === 2) return set(points().sort(([a], [b]) => a - b));
    if (kind === 3) return rng.below(4) === 0 ? empty : { type: "rule", rule: rng.below(count) };
    if (kind < 7) return sequence(...list(depth));
    if (kind < 9) return either(list(depth));
    if (kind < 11) {
      const least = rng.below(6);
      return repeat(expression(depth - 1), least, rng.below(3) === 0 ? Number.POSITIVE_INFINITY : least + rng.below(6));
    }
    const nodes = 1 + rng.below(3);
    const edges = () => Array.from({ length: rng.below(3) }, () => [expression(depth - 1), rng.below(nodes)] as const);
    return { type: "graph", nodes: Array.from({ length: nodes }, () => ({ isEnd: rng.below(2) === 0, edges: edges() })) };
  };
  return { names: Array.from({ length: count }, (_, i) => `rule "${i}"`), bodies: Array.from({ length: count }, () => expression(3)) };
}
