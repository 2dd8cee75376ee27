// Objects as texts: members that a schema names come in its order, others behind them.
import { type Expression, empty, type GraphNode, sequence, text } from "../expression.ts";
import { anyString, both, has, isEmpty, type Language, negated, wordsLanguage } from "../language.ts";
import { PatternProblem } from "../pattern.ts";
import { fromNode } from "./arrays.ts";
import type { Atom, AtomOf, Goal } from "./atoms.ts";
import { literal } from "./json-text.ts";
import { joinedGoals, memberGoal } from "./logic.ts";
import type { Atoms } from "./negate.ts";
import { atomsOf, isFalse, largestLeast, otherValues, type Parts, range } from "./parts.ts";
import { sharedString } from "./strings.ts";

/** Combinations of patterns that keys are in, those included that are looked at on the way. */
const mostSplits = 64;
/** Nodes of an object's graph: named members times counts. */
const mostNodes = 20_000;

/** The texts of valid objects. */
export function objectText(atoms: Atoms, parts: Parts): Expression {
  const others = atomsOf(atoms, "values").find(({ isNegated }) => isNegated && otherValues(atoms).some(isObject));
  if (others !== undefined) parts.fail(others, "objects that are not one of these cannot be written: leave objects out by their type");
  const keys = new Keys(atoms, parts);
  const named = keys.named.map((key): Named => ({ pair: keys.pairOf(key), isRequired: keys.required.has(key) }));
  const extra = keys.extraPairs();
  const counts = atomsOf(atoms, "keyCount");
  const [least, most] = range(counts);
  const required = keys.required.size;
  // Members that no schema names may have the same key, which counts once: one of them is sure to be another one.
  if (extra.length > 0 && least > required + 1)
    parts.fail(
      largestLeast(counts),
      `the value is ${least}, but only ${required} keys are required and keys of other members may be equal: name members in properties, or set additionalProperties to false`,
    );
  return braces(graph(named, extra, { least, most }, parts, counts[0]), parts);
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A member that a schema names; it has no text where it must not be there. */
interface Named {
  readonly pair: Expression | undefined;
  readonly isRequired: boolean;
}

/** Which members there are, and what their values must fulfil. */
class Keys {
  readonly #atoms: Atoms;
  readonly #parts: Parts;
  readonly #members: readonly AtomOf<"members">[];
  readonly #names: readonly AtomOf<"names">[];
  readonly #absent: ReadonlySet<string>;
  readonly required: ReadonlySet<string>;
  /** Keys in the order in which schemas name them. */
  readonly named: readonly string[];

  constructor(atoms: Atoms, parts: Parts) {
    this.#atoms = atoms;
    this.#parts = parts;
    this.#members = atomsOf(atoms, "members");
    this.#names = atomsOf(atoms, "names");
    const has = atomsOf(atoms, "has");
    this.required = new Set(has.flatMap(({ key, isNegated }) => (isNegated ? [] : [key])));
    this.#absent = new Set(has.flatMap(({ key, isNegated }) => (isNegated ? [key] : [])));
    this.named = [...new Set([...this.#members.flatMap(({ byKey }) => [...byKey.keys()]), ...has.map(({ key }) => key)])];
  }

  /** The text of a member that a schema names; undefined where it must not be there. */
  pairOf(key: string): Expression | undefined {
    const goal = memberGoal(this.#atoms, key);
    const isAllowed = !this.#absent.has(key) && !isFalse(goal) && this.#names.every((names) => has(this.#parts.stringsOf(names.goal), key));
    if (!isAllowed) return undefined;
    const { layout } = this.#parts;
    return sequence(literal(key, layout), layout.colon, this.#parts.valueOf(goal));
  }

  /** Texts of all other members: one for each set of languages that a key may be in. */
  extraPairs(): Expression[] {
    const source = this.#members[0] ?? this.#names[0];
    if (source === undefined) return [this.#pair(this.#otherKeys(), [])];
    try {
      return this.#extraPairs();
    } catch (error) {
      if (error instanceof PatternProblem) return this.#parts.fail(source, `what is asked of keys is too much: ${error.message}`);
      throw error;
    }
  }

  #extraPairs(): Expression[] {
    const languages = [...new Set(this.#members.flatMap(({ byLanguage }) => byLanguage.map(({ keys }) => keys)))];
    const found: Expression[] = [];
    let looked = 0;
    const split = (keys: Language, i: number, within: readonly Language[]) => {
      if (isEmpty(keys)) return;
      if (++looked > mostSplits)
        throw new PatternProblem(`keys may be in more than ${mostSplits} combinations of patterns, which is the limit`);
      const language = languages[i];
      if (language !== undefined) {
        split(both(keys, language), i + 1, [...within, language]);
        split(both(keys, negated(language)), i + 1, within);
        return;
      }
      const goal = joinedGoals(this.#members.flatMap((atom) => extraGoals(atom, within)));
      if (!isFalse(goal)) found.push(this.#pair(keys, goal));
    };
    const canBeThere = languages.length > 0 || this.#members.every(({ rest }) => !isFalse(rest));
    if (canBeThere) split(this.#names.map(({ goal }) => this.#parts.stringsOf(goal)).reduce(both, this.#otherKeys()), 0, []);
    return found;
  }

  #otherKeys(): Language {
    return this.named.length === 0 ? anyString : negated(wordsLanguage(this.named));
  }

  #pair(keys: Language, goal: Goal): Expression {
    return sequence(sharedString(keys, this.#parts), this.#parts.layout.colon, this.#parts.valueOf(goal));
  }
}

/** Goals of a member that no schema names, whose key is in some languages. */
function extraGoals({ byLanguage, rest }: AtomOf<"members">, within: readonly Language[]): readonly Goal[] {
  const found = byLanguage.filter(({ keys }) => within.includes(keys)).map(({ goal }) => goal);
  return found.length > 0 ? found : [rest];
}

/** Nodes are the named members that were passed and how many were written, counted as far as it matters; behind them come the others. */
function graph(
  named: readonly Named[],
  extra: readonly Expression[],
  { least, most }: { readonly least: number; readonly most: number },
  parts: Parts,
  source: Atom | undefined,
) {
  const { comma } = parts.layout;
  const isLimited = most < named.length || (extra.length > 0 && most < Number.POSITIVE_INFINITY);
  const last = Math.max(1, least, isLimited ? most : 0);
  const width = last + 1;
  if (source !== undefined && (named.length + 2) * width > mostNodes)
    parts.fail(source, `${named.length} members counted up to ${last} come to more than ${mostNodes} cases, which is not supported`);
  const at = (passed: number, count: number) => passed * width + Math.min(count, last);
  const behind = (count: number) => (count > 0 ? comma : empty);
  const nodes: GraphNode[] = [];
  for (const [i, { pair, isRequired }] of named.entries())
    for (let count = 0; count < width; count++) {
      const skip = isRequired ? [] : [[empty, at(i + 1, count)] as const];
      const isWritable = pair !== undefined && count < most;
      nodes.push({ isEnd: false, edges: isWritable ? [...skip, [sequence(behind(count), pair), at(i + 1, count + 1)]] : skip });
    }
  const count = named.length;
  const more = (written: number, to: (count: number) => number) =>
    written < most ? extra.map((pair) => [sequence(behind(written), pair), to(written + 1)] as const) : [];
  for (let written = 0; written < width; written++) {
    const isEnough = written + 1 >= least;
    nodes.push({ isEnd: written >= least, edges: isEnough ? more(written, (next) => at(count + 1, next)) : [] });
  }
  for (let written = 0; written < width; written++) nodes.push({ isEnd: true, edges: more(written, (next) => at(count + 1, next)) });
  return {
    nodes,
    closing: nodes.map(({ isEnd }, node) => isEnd && node % width > 0),
    isEmptyAllowed: named.every(({ isRequired }) => !isRequired) && least === 0,
  };
}

/** An empty object has no white space. */
function braces({ nodes, closing, isEmptyAllowed }: ReturnType<typeof graph>, { layout }: Parts): Expression {
  const start = nodes.length;
  const end = start + 1;
  const close = sequence(layout.beforeClose, text("}"));
  const closed = nodes.map(({ edges }, i): GraphNode => ({ isEnd: false, edges: closing[i] ? [...edges, [close, end]] : edges }));
  const opening: GraphNode = {
    isEnd: false,
    edges: [[sequence(text("{"), layout.afterOpen), 0], ...(isEmptyAllowed ? [[text("{}"), end] as const] : [])],
  };
  return fromNode([...closed, opening, { isEnd: true, edges: [] }], start);
}
