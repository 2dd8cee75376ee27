// Grammars of parts: texts, patterns that must not be found, and values of JSON schemas, put together as expressions.
import { check, fail } from "../base/index.ts";
import { type Expression, empty, type GrammarRules, type GraphNode } from "./expression.ts";
import { Grammar } from "./grammar.ts";
import { type JsonSchemaOptions, jsonSchemaRules, jsonSchemaStrings } from "./json-schema/json-schema.ts";
import { isProductive } from "./json-schema/productive.ts";
import { both, isEmpty, type Language, negated, patternLanguage, trimmed } from "./language.ts";
import { PatternProblem } from "./pattern.ts";

const where = "grammar";

/** Takes in the rules of schemas, and makes one grammar of an expression over them. */
export class GrammarComposer {
  /** Rule 0 is the whole text, which is given last. */
  readonly #names: string[] = ["the text"];
  readonly #bodies: Expression[] = [empty];
  /** Rules of whole schemas. */
  readonly #roots: number[] = [];
  /** Rules that call no others, such as strings and numbers, by what they say: schemas share them. */
  readonly #leaves = new Map<string, number>();

  /**
   * The texts of a schema's instances, as {@link jsonSchemaGrammar} has them.
   * @param name what messages call the schema
   * @throws CriaError naming the place, as a JSON pointer, of what is not supported
   */
  json(schema: unknown, name: string, options: JsonSchemaOptions = {}): Expression {
    return this.#include(jsonSchemaRules(schema, options), name);
  }

  /** The same; undefined where a schema has no instance that its grammar can write. */
  jsonIfAny(schema: unknown, name: string, options: JsonSchemaOptions = {}): Expression | undefined {
    const rules = jsonSchemaRules(schema, options);
    return isProductive(rules.bodies) ? this.#include(rules, name) : undefined;
  }

  #include({ names, bodies }: GrammarRules, name: string): Expression {
    const places: number[] = [];
    const move = mover(places);
    let next = this.#bodies.length;
    const keys = bodies.map((body) => (callsRules(body) ? undefined : JSON.stringify(body)));
    for (const key of keys) places.push((key === undefined ? undefined : this.#leaves.get(key)) ?? next++);
    for (const [i, place] of places.entries()) {
      if (place !== this.#bodies.length) continue;
      this.#names.push(`${name}, ${names[i]}`);
      this.#bodies.push(move(bodies[i]!));
      if (keys[i] !== undefined) this.#leaves.set(keys[i], place);
    }
    this.#roots.push(places[0]!);
    return { type: "rule", rule: places[0]! };
  }

  /**
   * The strings among a schema's instances in which a pattern is not found, as they are and not as JSON writes them; undefined where there is none.
   * @throws CriaError as {@link jsonSchemaGrammar} and {@link textWithout}
   */
  strings(schema: unknown, pattern: string): Expression | undefined {
    const language = limited(pattern, () => both(jsonSchemaStrings(schema), negated(patternLanguage(pattern))));
    if (isEmpty(language)) return undefined;
    const body = languageText(language);
    const key = JSON.stringify(body);
    const rule = this.#leaves.get(key) ?? this.#bodies.push(body) - 1;
    if (rule === this.#names.length) this.#names.push("a string");
    this.#leaves.set(key, rule);
    return { type: "rule", rule };
  }

  /** The grammar of the texts of an expression. @throws CriaError where it, or a schema that was taken in, has no text, or where it is too large */
  grammar(root: Expression): Grammar {
    const grammar = new Grammar({ names: this.#names, bodies: [root, ...this.#bodies.slice(1)] }, where);
    const { isAlive, starts } = grammar.machine.automaton;
    const dead = this.#roots.find((rule) => isAlive[starts[rule]!] === 0);
    check(
      dead === undefined,
      where,
      () => `${this.#names[dead ?? 0]}: no text is valid, and one must be: what is required contradicts itself or has no end`,
    );
    return grammar;
  }
}

/** Whether a rule's body calls others. */
function callsRules(body: Expression): boolean {
  switch (body.type) {
    case "text":
    case "set":
      return false;
    case "sequence":
    case "either":
      return body.parts.some(callsRules);
    case "repeat":
      return callsRules(body.body);
    case "rule":
      return true;
    case "graph":
      return body.nodes.some(({ edges }) => edges.some(([label]) => callsRules(label)));
    default:
      return body satisfies never;
  }
}

/** Puts rules where they stand now. What stands at several places of an expression stays one object. */
function mover(places: readonly number[]): (expression: Expression) => Expression {
  const known = new Map<Expression, Expression>();
  const move = (expression: Expression): Expression => {
    const found = known.get(expression) ?? moved(expression);
    known.set(expression, found);
    return found;
  };
  const moved = (expression: Expression): Expression => {
    switch (expression.type) {
      case "text":
      case "set":
        return expression;
      case "sequence":
      case "either":
        return { ...expression, parts: expression.parts.map(move) };
      case "repeat":
        return { ...expression, body: move(expression.body) };
      case "rule":
        return { type: "rule", rule: places[expression.rule]! };
      case "graph":
        return { type: "graph", nodes: expression.nodes.map((node) => withLabels(node, move)) };
      default:
        return expression satisfies never;
    }
  };
  return move;
}

function withLabels({ isEnd, edges }: GraphNode, change: (label: Expression) => Expression): GraphNode {
  return { isEnd, edges: edges.map(([label, to]) => [change(label), to] as const) };
}

/**
 * All texts in which a pattern of ECMA-262 is not found.
 * @throws CriaError where the pattern is not supported or too large
 */
export function textWithout(pattern: string): Expression {
  return languageText(limited(pattern, () => negated(patternLanguage(pattern))));
}

function languageText(language: Language): Expression {
  const { states } = trimmed(language);
  return {
    type: "graph",
    nodes: states.map(({ isEnd, edges }) => ({ isEnd, edges: edges.map(([set, to]) => [{ type: "set", set }, to] as const) })),
  };
}

function limited<T>(pattern: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof PatternProblem) return fail(where, `the pattern ${pattern} cannot be kept out of a text: ${error.message}`);
    throw error;
  }
}
