// Schemas as alternatives of atoms (disjunctive normal form): references are followed, combinations multiplied out, and negations carried inwards.
import { fail } from "../../base/index.ts";
import { type Atom, type AtomOf, type Goal, goalsOf, holds, type JsonType, jsonTypes, type Literal } from "./atoms.ts";
import { isArray, type Json } from "./json-text.ts";
import { KeywordAtoms } from "./keyword-atoms.ts";
import { type Atoms, negate } from "./negate.ts";
import type { SchemaDocument, SchemaPlace } from "./schema-document.ts";

/** Alternatives that a schema may have when its combinations are multiplied out. */
const mostAlternatives = 1000;

/** References and combinations inside of each other, for one part of an instance and for the parts around it. */
const mostDepth = 400;

/** A schema is asked for while it is worked out, from inside of one of its parts. */
class InProgress extends Error {}

/** Answers what schemas come to. Every answer is found once. */
export class Logic {
  readonly #document: SchemaDocument;
  readonly #byGoal = new Map<string, readonly Atoms[]>();
  readonly #byLiteral = new Map<string, readonly Atoms[]>();
  readonly #openGoals = new Set<string>();
  /** Schemas that are being worked out for the same part of an instance: to come back to one of them is an endless reference. */
  #open: ReadonlySet<string> = new Set();
  /** Schemas that are being worked out for the parts around it: to come back to one of them is recursion. */
  #around: ReadonlySet<string> = new Set();
  readonly #atoms: KeywordAtoms;
  /** Says whether no instance fulfils a goal, where that can be proved. */
  readonly #isImpossible: (goal: Goal) => boolean;

  constructor(document: SchemaDocument, isImpossible: (goal: Goal) => boolean) {
    this.#document = document;
    this.#atoms = new KeywordAtoms(document);
    this.#isImpossible = isImpossible;
  }

  /** Alternatives of which one holds exactly where the goal does. @throws CriaError naming the place of what cannot be decided */
  alternatives(goal: Goal): readonly Atoms[] {
    const key = goalKey(goal);
    const known = this.#byGoal.get(key);
    if (known !== undefined) return known;
    if (this.#openGoals.has(key)) throw new InProgress();
    this.#openGoals.add(key);
    try {
      const found = this.#alternatives(goal);
      this.#byGoal.set(key, found);
      return found;
    } finally {
      this.#openGoals.delete(key);
    }
  }

  #alternatives(goal: Goal): readonly Atoms[] {
    const [first] = goal;
    if (first === undefined) return [[]];
    return this.#all(
      first.place,
      goal.map((literal) => this.#literal(literal)),
    );
  }

  /** Whether a value fulfils atoms. @param isLenient whether a string counts as valid where only a part of what a keyword allows is known */
  holdAll(atoms: Atoms, value: Json, isLenient: boolean): boolean {
    const satisfies = (goal: Goal, item: Json) => this.alternatives(goal).some((alternative) => this.holdAll(alternative, item, isLenient));
    return atoms.every((atom) => holds(atom, value, { satisfies, isLenient }));
  }

  /** What `look` finds in a part of an instance; undefined where it needs a schema that is being worked out around it. */
  within<T>(look: () => T): T | undefined {
    const [open, around] = [this.#open, this.#around];
    this.#around = new Set([...around, ...open]);
    this.#open = new Set();
    try {
      return look();
    } catch (error) {
      if (error instanceof InProgress) return undefined;
      throw error;
    } finally {
      [this.#open, this.#around] = [open, around];
    }
  }

  #literal(literal: Literal): readonly Atoms[] {
    const { place, isNegated } = literal;
    const key = literalKey(literal);
    const known = this.#byLiteral.get(key);
    if (known !== undefined) return known;
    if (typeof place.value === "boolean") return place.value !== isNegated ? [[]] : [];
    if (this.#open.has(key)) this.#document.fail(place, "$ref", "the references come back to this schema without an end");
    if (this.#around.has(key) || this.#around.size > mostDepth) throw new InProgress();
    if (this.#open.size > mostDepth)
      this.#document.fail(place, "", `references and combinations more than ${mostDepth} deep are not supported`);
    const open = this.#open;
    this.#open = new Set([...open, key]);
    const parts = Object.keys(place.value).flatMap((keyword) => {
      const part = this.#keyword(place, keyword, isNegated);
      return part === undefined ? [] : [part];
    });
    this.#open = open;
    const found = isNegated ? this.#any(place, parts) : this.#all(place, parts);
    this.#byLiteral.set(key, found);
    return found;
  }

  /** What one keyword comes to; undefined where it says nothing, or another keyword says it. */
  #keyword(place: SchemaPlace, keyword: string, isNegated: boolean): readonly Atoms[] | undefined {
    const combined = this.#combination(place, keyword, isNegated);
    if (combined !== undefined) return combined;
    const atoms = this.#atoms.of(place, keyword);
    if (atoms === undefined) return undefined;
    if (!isNegated) return [atoms];
    return this.#any(
      place,
      atoms.map((atom) => negate(atom) ?? this.#undecidable(place, keyword)),
    );
  }

  #undecidable(place: SchemaPlace, keyword: string): never {
    return this.#document.fail(
      place,
      keyword,
      "where this does not hold cannot be decided: it stands under not, if, or oneOf with branches that may hold together",
    );
  }

  #combination(place: SchemaPlace, keyword: string, isNegated: boolean): readonly Atoms[] | undefined {
    const below =
      (...keys: (string | number)[]) =>
      (not: boolean) =>
        this.#literal({ place: this.#document.below(place, keyword, ...keys), isNegated: not });
    const content = (place.value as { readonly [key: string]: Json })[keyword];
    const list = () => (content as readonly Json[]).map((_, i) => below(i));
    switch (keyword) {
      case "$ref":
        return this.#literal({ place: this.#document.target(place, content as string), isNegated });
      case "allOf":
      case "anyOf": {
        const parts = list().map((part) => part(isNegated));
        return (keyword === "allOf") !== isNegated ? this.#all(place, parts) : this.#any(place, parts);
      }
      case "oneOf":
        return this.#oneOf(place, list().length, isNegated);
      case "not":
        return below()(!isNegated);
      case "if":
        return this.#condition(place, isNegated);
      case "dependentSchemas":
      case "dependentRequired":
      case "dependencies":
        return this.#dependencies(place, keyword, content as { readonly [key: string]: Json }, isNegated);
      default:
        return undefined;
    }
  }

  #oneOf(place: SchemaPlace, count: number, isNegated: boolean): readonly Atoms[] {
    const literal = (i: number, not: boolean): Literal => ({ place: this.#document.below(place, "oneOf", i), isNegated: not });
    const indices = Array.from({ length: count }, (_, i) => i);
    if (isNegated) {
      const none = this.alternatives(indices.map((i) => literal(i, true)));
      const two = indices.flatMap((i) => indices.slice(i + 1).map((j) => this.alternatives([literal(i, false), literal(j, false)])));
      return this.#any(place, [none, ...two]);
    }
    const only = indices.map((i) => {
      const rivals = indices.filter((j) => j !== i && !this.within(() => this.#isImpossible([literal(i, false), literal(j, false)])));
      return this.alternatives([literal(i, false), ...rivals.map((j) => literal(j, true))]);
    });
    return this.#any(place, only);
  }

  #condition(place: SchemaPlace, isNegated: boolean): readonly Atoms[] {
    const part = (keyword: "if" | "then" | "else", not: boolean) => {
      const isThere = keyword in (place.value as object);
      return isThere ? this.#literal({ place: this.#document.below(place, keyword), isNegated: not }) : not ? [] : [[]];
    };
    if (!("then" in (place.value as object)) && !("else" in (place.value as object))) return isNegated ? [] : [[]];
    const cases = (["then", "else"] as const).map((keyword) =>
      this.#all(place, [part("if", keyword === "else"), part(keyword, isNegated)]),
    );
    return this.#any(place, cases);
  }

  /** Where a key is there, what depends on it must hold. */
  #dependencies(place: SchemaPlace, keyword: string, content: { readonly [key: string]: Json }, isNegated: boolean): readonly Atoms[] {
    const parts = Object.entries(content).map(([key, dependent]) => {
      const has: Atom = { type: "has", key, isNegated: false, place, keyword };
      const absent: Atoms = [{ ...has, isNegated: true }];
      const needs = isArray(dependent)
        ? dependent.map((name): Atom => ({ type: "has", key: name as string, isNegated: false, place, keyword }))
        : undefined;
      const literal: Literal | undefined =
        needs === undefined ? { place: this.#document.below(place, keyword, key), isNegated } : undefined;
      if (!isNegated) return this.#any(place, [[absent], literal === undefined ? [needs ?? []] : this.#literal(literal)]);
      const broken =
        literal === undefined ? (needs ?? []).map((atom): Atoms => [{ ...atom, isNegated: true } as Atom]) : this.#literal(literal);
      return this.#all(place, [[[has, objects(place, keyword)]], broken]);
    });
    return isNegated ? this.#any(place, parts) : this.#all(place, parts);
  }

  #any(place: SchemaPlace, parts: readonly (readonly Atoms[])[]): readonly Atoms[] {
    return this.#limited(place, parts.flat());
  }

  #all(place: SchemaPlace, parts: readonly (readonly Atoms[])[]): readonly Atoms[] {
    return parts.reduce<readonly Atoms[]>(
      (all, part) => {
        const joined = all.flatMap((atoms) => part.map((more) => joinedAtoms(atoms, more)));
        return this.#limited(
          place,
          joined.filter((atoms) => this.#isPossible(atoms)),
        );
      },
      [[]],
    );
  }

  #limited(place: SchemaPlace, alternatives: readonly Atoms[]): readonly Atoms[] {
    if (alternatives.length > mostAlternatives)
      fail(
        "json-schema",
        `${place.pointer || "the schema"}: its combinations come to more than ${mostAlternatives} alternatives, which is the limit`,
      );
    return alternatives;
  }

  /** False where atoms contradict each other in a simple way; what is more is found when their text is made. */
  #isPossible(atoms: Atoms): boolean {
    const types = typesOf(atoms);
    if (types.size === 0) return false;
    const values = atoms.find((atom): atom is AtomOf<"values"> => atom.type === "values" && !atom.isNegated);
    const isPossible = (value: Json) => this.within(() => this.holdAll(atoms, value, true)) ?? true;
    if (values !== undefined && !values.values.some(isPossible)) return false;
    if (!types.has("object") || types.size > 1) return true;
    const has = atoms.filter((atom): atom is AtomOf<"has"> => atom.type === "has");
    const absent = new Set(has.filter(({ isNegated }) => isNegated).map(({ key }) => key));
    return has.every(({ key, isNegated }) => isNegated || (!absent.has(key) && this.#isPossibleMember(atoms, key)));
  }

  /** Only where several schemas meet in a member, because one alone is seldom impossible. */
  #isPossibleMember(atoms: Atoms, key: string): boolean {
    const goal = memberGoal(atoms, key);
    if (goal.some(({ place, isNegated }) => place.value === isNegated)) return false;
    return goal.length < 2 || (this.within(() => this.alternatives(goal).length) ?? 1) > 0;
  }
}

/** The same for goals that say the same. */
export function goalKey(goal: Goal): string {
  return [...new Set(goal.map(literalKey))].sort().join(" ");
}

function literalKey({ place, isNegated }: Literal): string {
  return `${isNegated ? "-" : ""}${place.id}`;
}

/** All that the member with this key must fulfil. */
export function memberGoal(atoms: Atoms, key: string): Goal {
  return joinedGoals(atoms.flatMap((atom) => (atom.type === "members" ? goalsOf(atom, key) : [])));
}

/** Everything that the goals ask for, once. */
export function joinedGoals(goals: readonly Goal[]): Goal {
  return [...new Map(goals.flat().map((literal) => [literalKey(literal), literal])).values()];
}

/** The types that atoms leave. */
export function typesOf(atoms: Atoms): Set<JsonType> {
  const sets = atoms.flatMap((atom) => (atom.type === "types" ? [atom.types] : []));
  return new Set(jsonTypes.filter((type) => sets.every((set) => set.has(type))));
}

function joinedAtoms(a: Atoms, b: Atoms): Atoms {
  return a.length === 0 ? b : [...new Set([...a, ...b])];
}

function objects(place: SchemaPlace, keyword: string): Atom {
  return { type: "types", types: new Set<JsonType>(["object"]), place, keyword };
}
