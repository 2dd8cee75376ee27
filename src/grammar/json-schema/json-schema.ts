// JSON Schema as a grammar: what a schema says becomes alternatives of atoms, and these become rules of a grammar, one for each set of schemas that
// must hold together. Drafts 2020-12 and 7, 6 and 4 (https://json-schema.org/specification).
import { CriaError, fail } from "../../base/index.ts";
import { anyText, type Expression, either, type GrammarRules, never, text } from "../expression.ts";
import { Grammar } from "../grammar.ts";
import { anyOf, type Language, wordsLanguage } from "../language.ts";
import { arrayText } from "./arrays.ts";
import type { Atom, Goal, JsonType } from "./atoms.ts";
import { different, type Json, literal } from "./json-text.ts";
import { goalOf } from "./keyword-atoms.ts";
import { type Layout, layoutOf, type Whitespace, whitespaces } from "./layout.ts";
import { goalKey, Logic, typesOf } from "./logic.ts";
import type { Atoms } from "./negate.ts";
import { isBetween, numbersAmong, numberText } from "./numbers.ts";
import { objectText } from "./objects.ts";
import { atomsOf, otherValues, type Parts } from "./parts.ts";
import { isProductive } from "./productive.ts";
import { SchemaDocument } from "./schema-document.ts";
import { stringLanguage, stringText } from "./strings.ts";

/** How the texts of a schema's instances look. */
export interface JsonSchemaOptions {
  /** White space between tokens. @default "space" */
  readonly whitespace?: Whitespace | undefined;
}

/** Rules of a schema. */
const mostRules = 20_000;
/** Rules that are looked at to prove that schemas cannot hold together. */
const mostProved = 200;

const where = "json-schema";

/**
 * The texts of a schema's instances. Members come in the order of `properties`, those that it does not name behind them. Whatever the grammar accepts is
 * valid; valid instances that it does not accept are those in another order or with other white space, numbers with more digits or other exponents than
 * it writes, strings with a format that are beyond a common form, and strings with a pattern, a format or a list that escape more than they must.
 * @param schema an object, true or false, of draft 2020-12, or of draft 7, 6 or 4 where `$schema` says so
 * @throws CriaError naming the place, as a JSON pointer, of what is unknown, not supported, too large, endless or contradictory
 */
export function jsonSchemaGrammar(schema: unknown, options: JsonSchemaOptions = {}): Grammar {
  return new Grammar(jsonSchemaRules(schema, options), where);
}

/** The rules of {@link jsonSchemaGrammar}. */
export function jsonSchemaRules(schema: unknown, { whitespace = "space" }: JsonSchemaOptions = {}): GrammarRules {
  if (!whitespaces.includes(whitespace)) fail(where, `whitespace is ${JSON.stringify(whitespace)} but must be ${whitespaces.join(", ")}`);
  return new Compiler(schema, layoutOf(whitespace)).rules();
}

/**
 * The strings among a schema's instances, as they are and not as JSON writes them.
 * @throws CriaError as {@link jsonSchemaGrammar}
 */
export function jsonSchemaStrings(schema: unknown): Language {
  return new Compiler(schema, layoutOf("none")).strings();
}

class Compiler {
  readonly #document: SchemaDocument;
  readonly #logic: Logic;
  readonly #layout: Layout;

  constructor(schema: unknown, layout: Layout) {
    this.#document = new SchemaDocument(schema);
    this.#layout = layout;
    this.#logic = new Logic(this.#document, (goal) => this.#isImpossible(goal));
  }

  rules(): GrammarRules {
    const rules = new Rules(goalOf(this.#document.root));
    const maker = new Maker(this.#document, this.#logic, this.#layout, rules, false);
    const bodies: Expression[] = [];
    for (const { make } of rules) {
      if (rules.all.length > mostRules) fail(where, `the schema comes to more than ${mostRules} different parts, which is the limit`);
      bodies.push(make(maker));
    }
    return { names: rules.all.map(({ name }) => name), bodies };
  }

  strings(): Language {
    const goal = goalOf(this.#document.root);
    return new Maker(this.#document, this.#logic, this.#layout, new Rules(goal), false).stringsOf(goal);
  }

  /** Whether it can be proved, with rules of its own, that no instance fulfils a goal; what is not known counts as possible. */
  #isImpossible(goal: Goal): boolean {
    const rules = new Rules(goal);
    const maker = new Maker(this.#document, this.#logic, this.#layout, rules, true);
    const bodies: Expression[] = [];
    for (const { make } of rules) bodies.push(bodies.length < mostProved ? this.#provable(() => make(maker)) : text("?"));
    return !isProductive(bodies);
  }

  #provable(make: () => Expression): Expression {
    try {
      return this.#logic.within(make) ?? text("?");
    } catch (error) {
      // What cannot be written is refused where it is needed.
      if (error instanceof CriaError) return text("?");
      throw error;
    }
  }
}

/** A rule that was asked for. */
interface Rule {
  readonly name: string;
  make(maker: Maker): Expression;
}

/** Rules in the order in which they are asked for. */
class Rules {
  readonly all: Rule[] = [];
  readonly #known = new Map<string, number>();
  #making = "the schema";

  constructor(root: Goal) {
    this.of(root);
  }

  /** Rules, those included that are asked for meanwhile. */
  *[Symbol.iterator](): Generator<Rule, void> {
    for (const rule of this.all) {
      this.#making = rule.name;
      yield rule;
    }
  }

  of(goal: Goal): Expression {
    return this.get(`goal ${goalKey(goal)}`, (maker) => maker.body(goal), goal[0]?.place.pointer || "the schema");
  }

  /** @param name what messages call the rule; by default as the rule that asks for it first */
  get(key: string, make: Rule["make"], name = this.#making): Expression {
    const rule = this.#known.get(key) ?? this.all.push({ name, make }) - 1;
    this.#known.set(key, rule);
    return { type: "rule", rule };
  }
}

/** Makes texts of goals. */
class Maker implements Parts {
  readonly #document: SchemaDocument;
  readonly #logic: Logic;
  readonly #rules: Rules;
  readonly layout: Layout;
  /** Whether keywords of which only a part is known are left out, so that nothing is proved by them. */
  readonly #isLenient: boolean;

  constructor(document: SchemaDocument, logic: Logic, layout: Layout, rules: Rules, isLenient: boolean) {
    this.#document = document;
    this.#logic = logic;
    this.layout = layout;
    this.#rules = rules;
    this.#isLenient = isLenient;
  }

  body(goal: Goal): Expression {
    return either(this.#alternatives(goal).map((atoms) => this.#text(atoms)));
  }

  valueOf(goal: Goal): Expression {
    return this.#rules.of(goal);
  }

  shared(key: string, make: () => Expression): Expression {
    return this.#rules.get(key, make);
  }

  stringsOf(goal: Goal): Language {
    return anyOf(
      this.#alternatives(goal).flatMap((atoms) => {
        const values = this.#values(atoms);
        if (values !== undefined) return [wordsLanguage(values.filter((value) => typeof value === "string"))];
        return typesOf(atoms).has("string") ? [stringLanguage(atoms, this)] : [];
      }),
    );
  }

  listOf(goal: Goal): readonly Json[] | undefined {
    const found: Json[] = [];
    for (const atoms of this.#alternatives(goal)) {
      const values = this.#values(atoms) ?? this.#fewValues(atoms);
      if (values === undefined) return undefined;
      found.push(...values);
    }
    return found;
  }

  fail(atom: Atom, problem: string): never {
    return this.#document.fail(atom.place, atom.keyword, problem);
  }

  #alternatives(goal: Goal): readonly Atoms[] {
    const found = this.#logic.alternatives(goal);
    if (!this.#isLenient) return found;
    return found.map((atoms) => atoms.filter((atom) => atom.type !== "language" || atom.named.isExact));
  }

  #text(atoms: Atoms): Expression {
    const values = this.#values(atoms);
    if (values !== undefined) return this.#anyOfValues(values);
    const types = typesOf(atoms);
    return either([this.#anyOfValues(this.#constants(atoms)), ...this.#numbers(atoms, types), ...this.#others(atoms, types)]);
  }

  #anyOfValues(values: readonly Json[]): Expression {
    const isFlat = (value: Json) => typeof value !== "object" || value === null;
    const flat = values.filter(isFlat).map((value) => JSON.stringify(value));
    return either([anyText(flat), ...values.filter((value) => !isFlat(value)).map((value) => literal(value, this.layout))]);
  }

  /** The values of a list that fulfil all atoms; undefined where there is no list. */
  #values(atoms: Atoms): readonly Json[] | undefined {
    const list = atomsOf(atoms, "values").find(({ isNegated }) => !isNegated)?.values;
    return list && different(list).filter((value) => this.#logic.holdAll(atoms, value, this.#isLenient));
  }

  #fewValues(atoms: Atoms): readonly Json[] | undefined {
    return [...typesOf(atoms)].every((type) => type === "null" || type === "boolean") ? this.#constants(atoms) : undefined;
  }

  #constants(atoms: Atoms): Json[] {
    const types = typesOf(atoms);
    const all: Json[] = [...(types.has("null") ? [null] : []), ...(types.has("boolean") ? [true, false] : [])];
    return all.filter((value) => this.#logic.holdAll(atoms, value, this.#isLenient));
  }

  #numbers(atoms: Atoms, types: ReadonlySet<JsonType>): Expression[] {
    if (![...types].some(isNumeric)) return [];
    // A fraction may lie between bounds where none of those lies that are written with a limited number of digits.
    if (this.#isLenient && types.has("fraction")) return isBetween(atomsOf(atoms, "bound")) ? [text("?")] : [];
    const conditions = {
      types,
      bounds: atomsOf(atoms, "bound"),
      multiples: atomsOf(atoms, "multiple"),
      others: numbersAmong(otherValues(atoms)),
    };
    const { bounds, multiples, others } = conditions;
    const key = JSON.stringify([
      [...types].filter(isNumeric),
      bounds.map(({ side, value, isExclusive }) => [side, value, isExclusive]),
      multiples.map(({ of, isNegated }) => [of, isNegated]),
      others,
    ]);
    return [this.shared(`number ${key}`, () => numberText(conditions, (atom, problem) => this.fail(atom, problem)))];
  }

  #others(atoms: Atoms, types: ReadonlySet<JsonType>): Expression[] {
    const makers: readonly (readonly [JsonType, (atoms: Atoms, parts: Parts) => Expression])[] = [
      ["string", stringText],
      ["array", arrayText],
      ["object", objectText],
    ];
    return makers.map(([type, make]) => (types.has(type) ? make(atoms, this) : never));
  }
}

function isNumeric(type: JsonType): boolean {
  return type === "integer" || type === "fraction";
}
