// Arrays as texts: items by their index, and behind these any number of alike ones.
import { type Expression, type GraphNode, never, repeat, sequence, text } from "../expression.ts";
import type { AtomOf, Goal } from "./atoms.ts";
import { different, literal } from "./json-text.ts";
import { joinedGoals } from "./logic.ts";
import type { Atoms } from "./negate.ts";
import { atomsOf, isFalse, type Parts, range } from "./parts.ts";

/** The most different values whose order is followed for uniqueItems. */
const mostDifferent = 8;
/** Nodes of a graph that counts what contains asks for. */
const mostNodes = 5000;

/** The texts of valid arrays. */
export function arrayText(atoms: Atoms, parts: Parts): Expression {
  const others = atomsOf(atoms, "values").find(({ values, isNegated }) => isNegated && values.some(Array.isArray));
  if (others !== undefined) parts.fail(others, "arrays that are not one of these cannot be written: leave arrays out by their type");
  const items = atomsOf(atoms, "items");
  const first = items.reduce((most, atom) => Math.max(most, atom.first.length), 0);
  const itemGoal = (i: number) => joinedGoals(items.map((atom) => atom.first[i] ?? atom.rest));
  const goals = Array.from({ length: first }, (_, i) => itemGoal(i));
  const rest = itemGoal(first);
  const [least, most] = range(atomsOf(atoms, "itemCount"));
  const asked: Asked = { goals, rest, least, most: isFalse(rest) ? Math.min(most, first) : most };
  if (least > asked.most) return never;
  const contains = atomsOf(atoms, "contains");
  const [unique] = atomsOf(atoms, "unique");
  if (unique !== undefined && asked.most > 1) return brackets(uniqueItems(asked, unique, contains, parts), parts);
  return contains.length > 0 ? brackets(containing(asked, contains, parts), parts) : brackets(plain(asked, parts), parts);
}

/** Items and how many of them. */
interface Asked {
  readonly goals: readonly Goal[];
  readonly rest: Goal;
  readonly least: number;
  readonly most: number;
}

/** An empty array has no white space; node 0 is where no item is written yet. */
function brackets(
  { nodes, isEmptyAllowed }: { readonly nodes: readonly GraphNode[]; readonly isEmptyAllowed: boolean },
  { layout }: Parts,
): Expression {
  const start = nodes.length;
  const close = sequence(layout.beforeClose, text("]"));
  const end = nodes.length + 1;
  const closed = nodes.map(
    ({ isEnd, edges }, i): GraphNode => ({ isEnd: false, edges: [...edges, ...(isEnd && i > 0 ? [[close, end] as const] : [])] }),
  );
  const opening: GraphNode = {
    isEnd: false,
    edges: [[sequence(text("["), layout.afterOpen), 0], ...(isEmptyAllowed ? [[text("[]"), end] as const] : [])],
  };
  return fromNode([...closed, opening, { isEnd: true, edges: [] }], start);
}

/** The graph that begins at another node. */
export function fromNode(nodes: readonly GraphNode[], start: number): Expression {
  const renamed = (to: number) => (to === start ? 0 : to === 0 ? start : to);
  const found = nodes.map(({ isEnd, edges }) => ({ isEnd, edges: edges.map(([label, to]) => [label, renamed(to)] as const) }));
  [found[0], found[start]] = [found[start]!, found[0]!];
  return { type: "graph", nodes: found };
}

/** Node i is behind item i − 1; behind the last item that is named, the others are counted. */
function plain({ goals, rest, least, most }: Asked, parts: Parts) {
  const { comma } = parts.layout;
  const nodes: GraphNode[] = goals.map((goal, i) => ({
    isEnd: i >= least,
    edges: i < most ? [[sequence(...(i > 0 ? [comma] : []), parts.valueOf(goal)), i + 1] as const] : [],
  }));
  const count = goals.length;
  const end = count + 1;
  const more = (written: number) => repeat(sequence(comma, parts.valueOf(rest)), Math.max(0, least - written), most - written);
  const tail = count === 0 ? sequence(parts.valueOf(rest), more(1)) : more(count);
  nodes.push({ isEnd: false, edges: most >= Math.max(count, 1) ? [[most > count ? tail : sequence(), end] as const] : [] });
  nodes.push({ isEnd: true, edges: [] });
  return { nodes, isEmptyAllowed: least === 0 };
}

/** Nodes count items, and for each `contains` how many valid ones are still to come. */
function containing({ goals, rest, least, most }: Asked, contains: readonly AtomOf<"contains">[], parts: Parts) {
  if (contains.length > 2) parts.fail(contains[2]!, "more than two of it for one array are not supported");
  const { comma } = parts.layout;
  const last = Math.max(goals.length, least, most === Number.POSITIVE_INFINITY ? 1 : most);
  const known = new Map<string, number>();
  const found: (readonly [count: number, needs: readonly number[]])[] = [];
  const index = (count: number, needs: readonly number[]) => {
    const key = `${count} ${needs.join(" ")}`;
    const at = known.get(key) ?? found.push([count, needs]) - 1;
    known.set(key, at);
    if (found.length > mostNodes)
      parts.fail(contains[0]!, `the counts of items come to more than ${mostNodes} cases, which is not supported`);
    return at;
  };
  index(
    0,
    contains.map((atom) => atom.least),
  );
  const nodes: GraphNode[] = [];
  for (const [count, needs] of found) {
    const goal = goals[count] ?? rest;
    const next = Math.min(count + 1, last);
    const edges: (readonly [Expression, number])[] = [];
    for (let fulfilled = 0; fulfilled < 2 ** contains.length && count < most; fulfilled++) {
      const counted = [...contains.keys()].filter((i) => ((fulfilled >> i) & 1) === 1);
      if (counted.some((i) => needs[i] === 0)) continue;
      const value = parts.valueOf(joinedGoals([goal, ...counted.map((i) => contains[i]!.goal)]));
      const after = needs.map((need, i) => need - (counted.includes(i) ? 1 : 0));
      edges.push([sequence(...(count > 0 ? [comma] : []), value), index(next, after)]);
    }
    nodes.push({ isEnd: count >= least && needs.every((need) => need === 0), edges });
  }
  return { nodes, isEmptyAllowed: nodes[0]!.isEnd };
}

/** Nodes are sets of values that were written. */
function uniqueItems({ goals, rest, least, most }: Asked, atom: AtomOf<"unique">, contains: readonly AtomOf<"contains">[], parts: Parts) {
  const values = contains.length > 0 || goals.length > 0 ? undefined : parts.listOf(rest);
  if (values === undefined || values.length > mostDifferent)
    return parts.fail(
      atom,
      `that items differ can be followed only where they are of a list (enum, const) of at most ${mostDifferent} values, without prefixItems and contains`,
    );
  const all = different(values);
  const { comma } = parts.layout;
  const nodes = Array.from({ length: 2 ** all.length }, (_, written): GraphNode => {
    const count = all.filter((_, i) => (written >> i) & 1).length;
    const edges = all.flatMap((value, i) =>
      (written >> i) & 1 || count >= most
        ? []
        : [[sequence(...(count > 0 ? [comma] : []), literal(value, parts.layout)), written | (1 << i)] as const],
    );
    return { isEnd: count >= least, edges };
  });
  return { nodes, isEmptyAllowed: least === 0 };
}
