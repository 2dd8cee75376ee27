// What a pattern says, as a tree: the part of Oniguruma's syntax whose meaning is a matter of automata.
import type { CodePoints } from "./code-points.ts";

/** Where a position must lie: at the text's or a line's beginning or end, between \w and what is not \w, or not so. */
export type Edge = "textStart" | "textEnd" | "lineStart" | "lineEnd" | "wordEdge" | "noWordEdge";

/** A node of a pattern's tree. */
export type Node =
  /** One character of a set. `folded` is the character that stood in the pattern, where letter case does not count. */
  | { readonly type: "set"; readonly set: CodePoints; readonly folded?: string }
  | { readonly type: "sequence"; readonly parts: readonly Node[] }
  /** The first of the alternatives with which the rest matches. */
  | { readonly type: "either"; readonly parts: readonly Node[] }
  /** `most` undefined: without limit. Lazy: as few times as the rest allows. */
  | { readonly type: "repeat"; readonly body: Node; readonly least: number; readonly most: number | undefined; readonly isLazy: boolean }
  /** The body's first match, whatever comes after it. */
  | { readonly type: "atomic"; readonly body: Node; readonly at: number }
  | { readonly type: "look"; readonly body: Node; readonly isBehind: boolean; readonly isNegative: boolean }
  | { readonly type: "edge"; readonly edge: Edge };

/** The pattern that matches the empty text. */
export const nothing: Node = { type: "sequence", parts: [] };

/** Patterns one after another; sequences within it are flattened. */
export function sequence(...parts: readonly Node[]): Node {
  const flat = parts.flatMap((part) => (part.type === "sequence" ? part.parts : [part]));
  const [first] = flat;
  return first !== undefined && flat.length === 1 ? first : { type: "sequence", parts: flat };
}

/** Alternatives, of which the first that leads to a match is taken. */
export function either(parts: readonly Node[]): Node {
  const [first] = parts;
  return first !== undefined && parts.length === 1 ? first : { type: "either", parts };
}

/** Whether the node can match without a character. */
export function isNullable(node: Node): boolean {
  switch (node.type) {
    case "set":
      return false;
    case "sequence":
      return node.parts.every(isNullable);
    case "either":
      return node.parts.some(isNullable);
    case "repeat":
      return node.least === 0 || isNullable(node.body);
    case "atomic":
      return isNullable(node.body);
    case "look":
    case "edge":
      return true;
    default:
      return node satisfies never;
  }
}
