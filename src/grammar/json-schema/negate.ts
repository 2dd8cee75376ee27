// What is true where an atom is not: alternatives of atoms.
import type { Atom, AtomCondition, AtomOf, Goal, JsonType } from "./atoms.ts";
import { jsonTypes } from "./atoms.ts";

/** Atoms that all hold. */
export type Atoms = readonly Atom[];

const infinity = Number.POSITIVE_INFINITY;

/** Alternatives of which one holds exactly where the atom does not; undefined where there is no such atom. */
export function negate(atom: Atom): readonly Atoms[] | undefined {
  const { place, keyword } = atom;
  const source = { place, keyword };
  /** An atom says nothing of other types, so its negation is about its own. */
  const of = (types: readonly JsonType[], ...conditions: readonly AtomCondition[]): Atoms =>
    [{ type: "types", types: new Set(types) } as const, ...conditions].map((condition) => ({ ...condition, ...source }));
  switch (atom.type) {
    case "types":
      return [of(jsonTypes.filter((type) => !atom.types.has(type)))];
    case "values":
      return [[{ ...atom, isNegated: !atom.isNegated }]];
    case "bound": {
      const side = atom.side === "least" ? "most" : "least";
      return [of(["integer", "fraction"], { type: "bound", side, value: atom.value, isExclusive: !atom.isExclusive })];
    }
    case "multiple":
      return [of(["integer", "fraction"], { ...atom, isNegated: !atom.isNegated })];
    case "length":
      return outside(atom).map((counts) => of(["string"], { type: "length", ...counts }));
    case "language":
      return atom.named.isExact ? [of(["string"], { ...atom, isNegated: !atom.isNegated })] : undefined;
    case "itemCount":
      return outside(atom).map((counts) => of(["array"], { type: "itemCount", ...counts }));
    case "contains":
      return atom.least === 1 ? opposite(atom.goal)?.map((rest) => of(["array"], { type: "items", first: [], rest })) : undefined;
    case "items":
      return notItems(atom, of);
    case "has":
      return [of(["object"], { ...atom, isNegated: !atom.isNegated })];
    case "keyCount":
      return outside(atom).map((counts) => of(["object"], { type: "keyCount", ...counts }));
    case "members":
      return notMembers(atom, of);
    case "unique":
    case "names":
      return undefined;
    default:
      return atom satisfies never;
  }
}

type Of = (types: readonly JsonType[], ...conditions: readonly AtomCondition[]) => Atoms;

/** Ranges of counts that are not in a range. */
function outside({ least, most }: { readonly least: number; readonly most: number }) {
  return [...(least > 0 ? [{ least: 0, most: least - 1 }] : []), ...(most < infinity ? [{ least: most + 1, most: infinity }] : [])];
}

/** The goal that holds where this one does not; undefined where it would be one of several. An empty goal always holds. */
function opposite(goal: Goal): readonly Goal[] | undefined {
  if (goal.length === 0) return [];
  return goal.length === 1 ? goal.map(({ place, isNegated }) => [{ place, isNegated: !isNegated }]) : undefined;
}

/** One of the items is there and not valid. */
function notItems({ first, rest }: AtomOf<"items">, of: Of): readonly Atoms[] | undefined {
  const alternatives: Atoms[] = [];
  for (const [i, goal] of first.entries()) {
    const goals = opposite(goal);
    if (goals === undefined) return undefined;
    const before = Array.from({ length: i }, (): Goal => []);
    for (const not of goals)
      alternatives.push(
        of(["array"], { type: "itemCount", least: i + 1, most: infinity }, { type: "items", first: [...before, not], rest: [] }),
      );
  }
  const behind = opposite(rest);
  if (behind === undefined) return undefined;
  if (behind.length === 0) return alternatives;
  const isFalse = rest[0]?.place.value === false && !rest[0].isNegated;
  if (isFalse) return [...alternatives, of(["array"], { type: "itemCount", least: first.length + 1, most: infinity })];
  if (first.length > 0) return undefined;
  return [of(["array"], { type: "contains", goal: behind[0]!, least: 1 })];
}

/** One of the members is there and not valid, where it can be named. */
function notMembers({ byKey, byLanguage, rest }: AtomOf<"members">, of: Of): readonly Atoms[] | undefined {
  if (byLanguage.some(({ goal }) => goal.length > 0) || rest.length > 0) return undefined;
  const alternatives: Atoms[] = [];
  for (const [key, goal] of byKey) {
    const goals = opposite(goal);
    if (goals === undefined) return undefined;
    for (const not of goals)
      alternatives.push(
        of(["object"], { type: "has", key, isNegated: false }, { type: "members", byKey: new Map([[key, not]]), byLanguage: [], rest: [] }),
      );
  }
  return alternatives;
}
