// What a grammar says: rules over characters, as trees. GBNF and JSON Schema both become these, and an automaton over bytes is made of them.
import type { CodePoints } from "../regex/index.ts";

/** A set of texts. */
export type Expression =
  /** This text alone. */
  | { readonly type: "text"; readonly text: string }
  /** One character of a set. Half a surrogate pair is no character. */
  | { readonly type: "set"; readonly set: CodePoints }
  | { readonly type: "sequence"; readonly parts: readonly Expression[] }
  | { readonly type: "either"; readonly parts: readonly Expression[] }
  /** `most` is Infinity where there is no limit. */
  | { readonly type: "repeat"; readonly body: Expression; readonly least: number; readonly most: number }
  /** The texts of a rule, by its index. */
  | { readonly type: "rule"; readonly rule: number }
  /** The texts along all ways from node 0 to a node that is an end. */
  | { readonly type: "graph"; readonly nodes: readonly GraphNode[] };

/** A node of a graph whose edges are labelled with expressions. */
export interface GraphNode {
  readonly isEnd: boolean;
  readonly edges: readonly (readonly [label: Expression, to: number])[];
}

/** Rules by index, the first of them the root: a text is valid where it is one of the root's. */
export interface GrammarRules {
  /** What messages call a rule: its name, or the place in the schema that it stands for. */
  readonly names: readonly string[];
  readonly bodies: readonly Expression[];
}

/** The empty text. */
export const empty: Expression = { type: "sequence", parts: [] };

/** No text at all. */
export const never: Expression = { type: "either", parts: [] };

/** This text alone. */
export function text(text: string): Expression {
  return text === "" ? empty : { type: "text", text };
}

/** One expression after another. */
export function sequence(...parts: readonly Expression[]): Expression {
  const flat = parts.flatMap((part) => (part.type === "sequence" ? part.parts : [part]));
  const [first] = flat;
  return first !== undefined && flat.length === 1 ? first : { type: "sequence", parts: flat };
}

/** Any of the expressions. */
export function either(parts: readonly Expression[]): Expression {
  const [first] = parts;
  return first !== undefined && parts.length === 1 ? first : { type: "either", parts };
}

/** The expression `least` to `most` times in a row. */
export function repeat(body: Expression, least: number, most = Number.POSITIVE_INFINITY): Expression {
  return { type: "repeat", body, least, most };
}

/** The expression or nothing. */
export function optional(body: Expression): Expression {
  return either([body, empty]);
}

/** One character of a set. */
export function set(set: CodePoints): Expression {
  return { type: "set", set };
}

/** Any of the texts; beginnings that they share are stored once. */
export function anyText(texts: readonly string[]): Expression {
  const nodes: { isEnd: boolean; next: Map<string, number> }[] = [{ isEnd: false, next: new Map() }];
  for (const one of texts) {
    let at = 0;
    for (const char of one) {
      const next = nodes[at]!.next.get(char) ?? nodes.push({ isEnd: false, next: new Map() }) - 1;
      nodes[at]!.next.set(char, next);
      at = next;
    }
    nodes[at]!.isEnd = true;
  }
  return { type: "graph", nodes: nodes.map(({ isEnd, next }) => ({ isEnd, edges: [...next].map(([char, to]) => [text(char), to]) })) };
}
