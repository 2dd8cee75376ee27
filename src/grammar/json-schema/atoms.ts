// What a schema says, as atoms: each is about one property of an instance, and true of all instances that cannot have it.
import { has, type Language } from "../language.ts";
import { isArray, isEqual, type Json } from "./json-text.ts";
import type { SchemaPlace } from "./schema-document.ts";

/** A schema that must hold, or one that must not. */
export interface Literal {
  readonly place: SchemaPlace;
  readonly isNegated: boolean;
}

/** Schemas of which all must hold. */
export type Goal = readonly Literal[];

/** Every value is of one of these; a number is an integer or a fraction. */
export type JsonType = "null" | "boolean" | "integer" | "fraction" | "string" | "array" | "object";

/** All types. */
export const jsonTypes: readonly JsonType[] = ["null", "boolean", "integer", "fraction", "string", "array", "object"];

/** The keyword that an atom is of, for messages. */
export interface AtomSource {
  readonly place: SchemaPlace;
  readonly keyword: string;
}

/** A set of strings that a keyword names. */
export interface NamedLanguage {
  readonly language: Language;
  /** Whether it has all strings that are valid by the keyword; formats have only a part. */
  readonly isExact: boolean;
}

/** A condition on an instance. */
export type AtomCondition =
  | { readonly type: "types"; readonly types: ReadonlySet<JsonType> }
  | { readonly type: "values"; readonly values: readonly Json[]; readonly isNegated: boolean }
  | { readonly type: "bound"; readonly side: "least" | "most"; readonly value: number; readonly isExclusive: boolean }
  | { readonly type: "multiple"; readonly of: number; readonly isNegated: boolean }
  | { readonly type: "length"; readonly least: number; readonly most: number }
  | { readonly type: "language"; readonly named: NamedLanguage; readonly isNegated: boolean }
  /** Items by their index, and those behind. */
  | { readonly type: "items"; readonly first: readonly Goal[]; readonly rest: Goal }
  | { readonly type: "itemCount"; readonly least: number; readonly most: number }
  | { readonly type: "contains"; readonly goal: Goal; readonly least: number }
  | { readonly type: "unique" }
  | { readonly type: "has"; readonly key: string; readonly isNegated: boolean }
  | { readonly type: "keyCount"; readonly least: number; readonly most: number }
  /** Members by their key, by languages of keys, and those that are in neither. */
  | {
      readonly type: "members";
      readonly byKey: ReadonlyMap<string, Goal>;
      readonly byLanguage: readonly MembersOfLanguage[];
      readonly rest: Goal;
    }
  | { readonly type: "names"; readonly goal: Goal };

/** A condition with its source. */
export type Atom = AtomCondition & AtomSource;

/** Members whose keys are in a language. */
export interface MembersOfLanguage {
  readonly keys: Language;
  readonly goal: Goal;
}

/** The atoms of one type. */
export type AtomOf<Type extends Atom["type"]> = Extract<Atom, { type: Type }>;

/** The type of a value. */
export function typeOf(value: Json): JsonType {
  if (value === null) return "null";
  if (isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "fraction";
  return typeof value === "object" ? "object" : (typeof value as "boolean" | "string");
}

/** How instances are judged. */
export interface Judge {
  /** Whether a value fulfils a goal. */
  satisfies(goal: Goal, value: Json): boolean;
  /** Whether a string counts as valid where only a part of what a keyword allows is known. */
  readonly isLenient: boolean;
}

/** Whether an instance fulfils an atom. */
export function holds(atom: Atom, value: Json, judge: Judge): boolean {
  switch (atom.type) {
    case "types":
      return atom.types.has(typeOf(value));
    case "values":
      return atom.values.some((other) => isEqual(other, value)) !== atom.isNegated;
    case "bound":
    case "multiple":
      return typeof value !== "number" || holdsOfNumber(atom, value);
    case "length":
      return typeof value !== "string" || isWithin(Array.from(value).length, atom);
    case "language":
      return typeof value !== "string" || (judge.isLenient && !atom.named.isExact) || has(atom.named.language, value) !== atom.isNegated;
    case "items":
    case "itemCount":
    case "contains":
    case "unique":
      return !isArray(value) || holdsOfArray(atom, value, judge);
    case "has":
    case "keyCount":
    case "members":
    case "names":
      return typeOf(value) !== "object" || holdsOfObject(atom, value as { readonly [key: string]: Json }, judge);
    default:
      return atom satisfies never;
  }
}

function isWithin(count: number, { least, most }: { readonly least: number; readonly most: number }): boolean {
  return count >= least && count <= most;
}

function holdsOfNumber(atom: AtomOf<"bound"> | AtomOf<"multiple">, value: number): boolean {
  if (atom.type === "multiple") return isMultiple(value, atom.of) !== atom.isNegated;
  if (value === atom.value) return !atom.isExclusive;
  return atom.side === "least" ? value > atom.value : value < atom.value;
}

/** Whether a number is a multiple of another one as decimals, which binary numbers only come near to. */
function isMultiple(value: number, of: number): boolean {
  const [a, b] = [decimalOf(value), decimalOf(of)];
  const shift = Math.max(a.decimals, b.decimals);
  const scaled = ({ digits, decimals }: Decimal) => BigInt(digits) * 10n ** BigInt(shift - decimals);
  return scaled(a) % scaled(b) === 0n;
}

/** A number as digits with their sign, of which the last `decimals` lie behind the point. */
export interface Decimal {
  readonly digits: string;
  readonly decimals: number;
}

/** The shortest decimal that a number is read from. */
export function decimalOf(value: number): Decimal {
  const [mantissa = "0", exponent = "0"] = String(value).split("e");
  const [whole = "0", fraction = ""] = mantissa.split(".");
  const decimals = fraction.length - Number(exponent);
  return decimals >= 0 ? { digits: whole + fraction, decimals } : { digits: whole + fraction + "0".repeat(-decimals), decimals: 0 };
}

function holdsOfArray(
  atom: AtomOf<"items"> | AtomOf<"itemCount"> | AtomOf<"contains"> | AtomOf<"unique">,
  value: readonly Json[],
  { satisfies }: Judge,
): boolean {
  if (atom.type === "items") return value.every((item, i) => satisfies(atom.first[i] ?? atom.rest, item));
  if (atom.type === "itemCount") return isWithin(value.length, atom);
  if (atom.type === "contains") return value.filter((item) => satisfies(atom.goal, item)).length >= atom.least;
  return value.every((item, i) => !value.slice(0, i).some((other) => isEqual(item, other)));
}

function holdsOfObject(
  atom: AtomOf<"has"> | AtomOf<"keyCount"> | AtomOf<"members"> | AtomOf<"names">,
  value: { readonly [key: string]: Json },
  { satisfies }: Judge,
): boolean {
  if (atom.type === "has") return Object.hasOwn(value, atom.key) !== atom.isNegated;
  if (atom.type === "keyCount") return isWithin(Object.keys(value).length, atom);
  if (atom.type === "names") return Object.keys(value).every((key) => satisfies(atom.goal, key));
  return Object.entries(value).every(([key, item]) => goalsOf(atom, key).every((goal) => satisfies(goal, item)));
}

/** The goals of the member with this key. */
export function goalsOf({ byKey, byLanguage, rest }: AtomOf<"members">, key: string): readonly Goal[] {
  const own = byKey.get(key);
  const found = byLanguage.filter(({ keys }) => has(keys, key)).map(({ goal }) => goal);
  return own === undefined && found.length === 0 ? [rest] : [...(own === undefined ? [] : [own]), ...found];
}
