// The slow judge: a pattern's tree matched by backtracking, as its definition reads. It may take exponential time.
import { contains } from "./code-points.ts";
import { parse } from "./parse.ts";
import type { Span } from "./regex.ts";
import type { Edge, Node } from "./syntax.ts";
import { named } from "./unicode.ts";

type Then = (at: number) => boolean;

/** All matches, as Regex.matches has them. Throws where more than `most` steps are needed. */
export function backtrack(pattern: string, text: string, most = 200_000): Span[] {
  const tree = parse(pattern);
  const chars = Array.from(text);
  const points = chars.map((char) => char.codePointAt(0) ?? 0);
  const offsets = [0];
  for (const char of chars) offsets.push((offsets.at(-1) ?? 0) + char.length);
  let steps = 0;

  const match = (node: Node, at: number, then: Then): boolean => {
    if (++steps > most) throw new RangeError("too many steps");
    switch (node.type) {
      case "set":
        return at < points.length && contains(node.set, points[at] ?? 0) && then(at + 1);
      case "sequence":
        return row(node.parts, 0, at, then);
      case "either":
        return node.parts.some((part) => match(part, at, then));
      case "repeat":
        return turns(node, 0, at, then);
      case "atomic": {
        const end = endOf(node.body, at);
        return end !== undefined && then(end);
      }
      case "look":
        return (node.isBehind ? endsAt(node.body, at) : endOf(node.body, at) !== undefined) !== node.isNegative && then(at);
      case "edge":
        return isEdge(node.edge, at) && then(at);
      default:
        return node satisfies never;
    }
  };
  const row = (parts: readonly Node[], i: number, at: number, then: Then): boolean => {
    const part = parts[i];
    return part === undefined ? then(at) : match(part, at, (end) => row(parts, i + 1, end, then));
  };
  const turns = (node: Extract<Node, { type: "repeat" }>, count: number, at: number, then: Then): boolean => {
    const { body, least, most, isLazy } = node;
    const isEndless = most === undefined;
    const more = () =>
      (isEndless || count < most) &&
      match(body, at, (end) => (isEndless && end === at && count >= least - 1 ? then(end) : turns(node, count + 1, end, then)));
    if (count < least) return more();
    return isLazy ? then(at) || more() : more() || then(at);
  };
  const endOf = (node: Node, at: number): number | undefined => {
    let found: number | undefined;
    match(node, at, (end) => {
      found = end;
      return true;
    });
    return found;
  };
  const endsAt = (node: Node, end: number) =>
    Array.from({ length: end + 1 }, (_, at) => at).some((at) => match(node, at, (stop) => stop === end));
  const isWord = (at: number) => at >= 0 && at < points.length && contains(named("word"), points[at] ?? 0);
  const isEdge = (edge: Edge, at: number): boolean => {
    switch (edge) {
      case "textStart":
        return at === 0;
      case "textEnd":
        return at === points.length;
      case "lineStart":
        return at === 0 || (chars[at - 1] === "\n" && at < points.length);
      case "lineEnd":
        return at === points.length || chars[at] === "\n";
      case "wordEdge":
        return isWord(at) !== isWord(at - 1);
      case "noWordEdge":
        return isWord(at) === isWord(at - 1);
      default:
        return edge satisfies never;
    }
  };

  const found: Span[] = [];
  let last = -1;
  for (let at = 0; at <= chars.length; ) {
    const end = endOf(tree, at);
    if (end === undefined || (end === at && end === last)) at++;
    else {
      found.push({ start: offsets[at] ?? 0, end: offsets[end] ?? 0 });
      last = end;
      at = end;
    }
  }
  return found;
}
