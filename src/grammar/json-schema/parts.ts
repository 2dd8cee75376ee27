// What the makers of texts share: the schema's answers, and how to refuse.
import type { Expression } from "../expression.ts";
import type { Language } from "../language.ts";
import type { Atom, AtomOf, Goal } from "./atoms.ts";
import type { Json } from "./json-text.ts";
import type { Layout } from "./layout.ts";
import type { Atoms } from "./negate.ts";

/** What a part of a text is made with. */
export interface Parts {
  readonly layout: Layout;
  /** The text of values that fulfil a goal. */
  valueOf(goal: Goal): Expression;
  /** A text that others with the same key have, too: it is made once. */
  shared(key: string, make: () => Expression): Expression;
  /** The strings that fulfil a goal. */
  stringsOf(goal: Goal): Language;
  /** The values that fulfil a goal, undefined where they are not a list. */
  listOf(goal: Goal): readonly Json[] | undefined;
  /** @throws CriaError naming the atom's keyword */
  fail(atom: Atom, problem: string): never;
}

/** The atoms of one type. */
export function atomsOf<Type extends Atom["type"]>(atoms: Atoms, type: Type): AtomOf<Type>[] {
  return atoms.filter((atom): atom is AtomOf<Type> => atom.type === type);
}

/** Values that an instance is not. */
export function otherValues(atoms: Atoms): Json[] {
  return atomsOf(atoms, "values").flatMap(({ values, isNegated }) => (isNegated ? values : []));
}

/** The range of counts that all atoms leave. */
export function range(atoms: readonly { readonly least: number; readonly most: number }[]): readonly [least: number, most: number] {
  return [
    atoms.reduce((most, { least }) => Math.max(most, least), 0),
    atoms.reduce((least, { most }) => Math.min(least, most), Number.POSITIVE_INFINITY),
  ];
}

/** The atom that bounds a count most closely from below, for messages. */
export function largestLeast<A extends { readonly least: number }>(atoms: readonly A[]): A {
  return atoms.reduce((a, b) => (b.least > a.least ? b : a));
}

/** Whether no value at all fulfils a goal, because `false` is part of it. */
export function isFalse(goal: Goal): boolean {
  return goal.some(({ place, isNegated }) => place.value === isNegated);
}
