// This file decides whether a grammar has any text at all.
import type { Expression } from "../expression.ts";

/** Whether rule 0 has a text. */
export function isProductive(bodies: readonly Expression[]): boolean {
  const productive = bodies.map(() => false);
  for (let isStable = false; !isStable; ) {
    isStable = true;
    bodies.forEach((body, rule) => {
      if (productive[rule] || !hasText(body, productive)) return;
      productive[rule] = true;
      isStable = false;
    });
  }
  return productive[0] ?? false;
}

function hasText(expression: Expression, rules: readonly boolean[]): boolean {
  switch (expression.type) {
    case "text":
      return true;
    case "set":
      return expression.set.length > 0;
    case "sequence":
      return expression.parts.every((part) => hasText(part, rules));
    case "either":
      return expression.parts.some((part) => hasText(part, rules));
    case "repeat":
      return expression.least === 0 || hasText(expression.body, rules);
    case "rule":
      return rules[expression.rule] ?? false;
    case "graph": {
      const seen = new Set([0]);
      for (const at of seen) for (const [label, to] of expression.nodes[at]!.edges) if (hasText(label, rules)) seen.add(to);
      return [...seen].some((at) => expression.nodes[at]!.isEnd);
    }
    default:
      return expression satisfies never;
  }
}
