// Runs a template's tree as Jinja does, with a limit on the work, on texts that know their origins. @huggingface/jinja's own interpreter joins
// plain strings, and computes with JavaScript's values where Python's differ. transformers is the judge of this one.
import { attribute, element } from "./attributes.ts";
import type { Budget } from "./budget.ts";
import { test } from "./conditions.ts";
import { filter } from "./filters.ts";
import { generationCall } from "./lex.ts";
import type { Argument, Call, Expression, Identifier, Parameter, Slice, Statement } from "./nodes.ts";
import { binary, negative } from "./operators.ts";
import { Scope } from "./scope.ts";
import { slice } from "./strings.ts";
import { Text } from "./text.ts";
import {
  type Arguments,
  Callable,
  Dict,
  integer,
  isEqual,
  isTrue,
  iterate,
  List,
  Namespace,
  Num,
  str,
  TemplateError,
  typeName,
  Undefined,
  type Value,
} from "./values.ts";

/** `break` or `continue`, with what the loop's turn has written before it. */
class LeaveTurn extends Error {
  readonly isBreak: boolean;
  readonly text: Text;

  constructor(isBreak: boolean, text: Text) {
    super();
    this.isBreak = isBreak;
    this.text = text;
  }
}

const constants: Readonly<Record<string, Value>> = { true: true, True: true, false: false, False: false, none: null, None: null };

/** @throws TemplateError as Jinja or Python would raise one, or where the template takes too many steps. */
export function evaluate(body: readonly Statement[], scope: Scope, budget: Budget): Text {
  return new Evaluator(budget).block(body, scope);
}

class Evaluator {
  readonly #budget: Budget;
  /** Whether a loop's body mentions `loop`, by body. */
  readonly #loops = new Map<readonly Statement[], boolean>();

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  block(body: readonly Statement[], scope: Scope): Text {
    const parts: Text[] = [];
    for (const statement of body) {
      try {
        parts.push(this.#statement(statement, scope));
      } catch (error) {
        throw error instanceof LeaveTurn ? new LeaveTurn(error.isBreak, this.#join([...parts, error.text])) : error;
      }
    }
    return this.#join(parts);
  }

  #join(texts: readonly Text[]): Text {
    this.#budget.text(texts.reduce((size, { text }) => size + text.length, 0));
    return Text.join(texts);
  }

  #statement(node: Statement, scope: Scope): Text {
    this.#budget.step();
    switch (node.type) {
      case "If":
        return this.block(isTrue(this.#value(node.test, scope)) ? node.body : node.alternate, scope);
      case "For":
        return this.#loop(node, scope);
      case "Set":
        this.#assign(node.assignee, node.value === null ? this.block(node.body, new Scope(scope)) : this.#value(node.value, scope), scope);
        return Text.of("");
      case "Macro":
        scope.set(node.name.value, this.#macro(node.name.value, node.args, node.body, scope));
        return Text.of("");
      case "CallStatement":
        return this.#callBlock(node, scope);
      case "FilterStatement":
        return str(this.#filter(this.block(node.body, new Scope(scope)), node.filter, scope));
      case "Break":
        throw new LeaveTurn(true, Text.of(""));
      case "Continue":
        throw new LeaveTurn(false, Text.of(""));
      case "Comment":
        return Text.of("");
      default:
        return this.#printed(this.#value(node, scope));
    }
  }

  #printed(value: Value): Text {
    if (!(value instanceof Text)) this.#budget.value(value);
    return str(value);
  }

  #loop(node: Extract<Statement, { type: "For" }>, scope: Scope): Text {
    const { iterable } = node;
    const isFiltered = iterable.type === "SelectExpression";
    const over = this.#value(isFiltered ? iterable.lhs : iterable, scope);
    if (over instanceof Text) this.#budget.step(over.text.length);
    const all = iterate(over);
    const items = isFiltered ? all.filter((item) => isTrue(this.#value(iterable.test, this.#bound(node.loopvar, item, scope)))) : all;
    if (items.length === 0) return this.block(node.defaultBlock, new Scope(scope));
    const parts: Text[] = [];
    const changes = new Map<string, Value>();
    const isAsked = this.#usesLoop(node.body);
    for (const [i, item] of items.entries()) {
      this.#budget.step(isAsked ? 20 : 5);
      const inner = this.#bound(node.loopvar, item, scope);
      if (isAsked) inner.set("loop", loopFacts(items, i, changes));
      try {
        parts.push(this.block(node.body, inner));
      } catch (error) {
        if (!(error instanceof LeaveTurn)) throw error;
        parts.push(error.text);
        if (error.isBreak) break;
      }
    }
    return this.#join(parts);
  }

  /** Making what `loop` tells costs more than a short turn of the loop. */
  #usesLoop(body: readonly Statement[]): boolean {
    const uses = this.#loops.get(body) ?? mentions(body, "loop");
    this.#loops.set(body, uses);
    return uses;
  }

  #bound(target: Expression, item: Value, scope: Scope): Scope {
    const inner = new Scope(scope);
    this.#assign(target, item, inner);
    return inner;
  }

  #assign(target: Expression, value: Value, scope: Scope): void {
    if (target.type === "Identifier") return scope.set(target.value, value);
    if (target.type === "TupleLiteral") {
      const items = iterate(value);
      if (items.length !== target.value.length)
        throw new TemplateError(`${target.value.length} values are needed to unpack, but there are ${items.length}`);
      for (const [i, part] of target.value.entries()) this.#assign(part, items[i]!, scope);
      return;
    }
    const place = target.type === "MemberExpression" ? this.#value(target.object, scope) : undefined;
    if (target.type !== "MemberExpression" || !(place instanceof Namespace) || target.property.type !== "Identifier" || target.computed)
      throw new TemplateError("cannot assign attribute on non-namespace object");
    place.values.set(target.property.value, value);
  }

  #callBlock({ call, callerArgs, body }: Extract<Statement, { type: "CallStatement" }>, scope: Scope): Text {
    if (call.callee.type === "Identifier" && call.callee.value === generationCall) return this.block(body, new Scope(scope)).generated();
    const caller = this.#macro("caller", callerArgs ?? [], body, scope);
    const { positional, named } = this.#arguments(call.args, scope);
    const all = new Dict([...named.entries.values(), [Text.of("caller"), caller]]);
    return str(this.#call(this.#value(call.callee, scope), { positional, named: all }));
  }

  #macro(name: string, parameters: readonly Parameter[], body: readonly Statement[], scope: Scope): Callable {
    return new Callable(name, (args) => this.block(body, this.#parameters({ name, parameters, body }, args, scope)));
  }

  #parameters({ name, parameters, body }: MacroParts, { positional, named }: Arguments, scope: Scope): Scope {
    const inner = new Scope(scope);
    const rest = new Map(named.entries);
    for (const [i, parameter] of parameters.entries()) {
      const key = parameter.type === "Identifier" ? parameter.value : parameter.key.value;
      const given = positional[i] ?? (i < positional.length ? null : rest.get(key)?.[1]);
      const isGiven = i < positional.length || rest.delete(key);
      const fallback = parameter.type === "Identifier" ? new Undefined(`parameter '${key}' was not provided`) : undefined;
      inner.set(
        key,
        isGiven ? (given ?? null) : (fallback ?? this.#value((parameter as Extract<Parameter, { key: unknown }>).value, inner)),
      );
    }
    const caller = rest.get("caller")?.[1];
    if (rest.delete("caller")) inner.set("caller", caller ?? null);
    const more = positional.slice(parameters.length);
    const [odd] = rest.keys();
    if (more.length > 0 && !mentions(body, "varargs"))
      throw new TemplateError(`macro '${name}' takes not more than ${parameters.length} argument(s)`);
    if (odd !== undefined && !mentions(body, "kwargs")) throw new TemplateError(`macro '${name}' takes no keyword argument '${odd}'`);
    inner.set("varargs", new List(more, "tuple"));
    inner.set("kwargs", new Dict(rest.values()));
    return inner;
  }

  #value(node: Expression, scope: Scope): Value {
    this.#budget.step();
    switch (node.type) {
      case "IntegerLiteral":
        return integer(node.value);
      case "FloatLiteral":
        return new Num(node.value, true);
      case "StringLiteral":
        return Text.of(node.value);
      case "ArrayLiteral":
        return new List(node.value.map((item) => this.#value(item, scope)));
      case "TupleLiteral":
        return new List(
          node.value.map((item) => this.#value(item, scope)),
          "tuple",
        );
      case "ObjectLiteral":
        return new Dict([...node.value].map(([key, value]) => [this.#key(key, scope), this.#value(value, scope)]));
      case "Identifier":
        return this.#name(node.value, scope);
      case "MemberExpression":
        return this.#member(node, scope);
      case "CallExpression":
        return this.#call(this.#value(node.callee, scope), this.#arguments(node.args, scope));
      case "UnaryExpression": {
        const value = this.#value(node.argument, scope);
        return node.operator.value === "not" ? !isTrue(value) : negative(value, node.operator.value);
      }
      case "BinaryExpression":
        return this.#binary(node.operator.value, node.left, node.right, scope);
      case "FilterExpression":
        return this.#filter(this.#value(node.operand, scope), node.filter, scope);
      case "TestExpression":
        return test(node.test.value, this.#value(node.operand, scope), []) !== node.negate;
      case "SelectExpression":
        return isTrue(this.#value(node.test, scope))
          ? this.#value(node.lhs, scope)
          : new Undefined("the inline if-expression is false and has no else");
      case "Ternary":
        return this.#value(isTrue(this.#value(node.condition, scope)) ? node.trueExpr : node.falseExpr, scope);
      default:
        throw new TemplateError(`${(node satisfies never as Statement).type} is not supported`);
    }
  }

  #key(node: Expression, scope: Scope): Text {
    const key = this.#value(node, scope);
    if (key instanceof Text) return key;
    throw new TemplateError(`a dict's key is ${typeName(key)}: only texts are supported`);
  }

  #name(name: string, scope: Scope): Value {
    if (Object.hasOwn(constants, name)) return constants[name] ?? null;
    return scope.get(name) ?? (scope.get(name) === null ? null : new Undefined(`'${name}' is undefined`));
  }

  #member({ object, property, computed }: Extract<Expression, { type: "MemberExpression" }>, scope: Scope): Value {
    const value = this.#value(object, scope);
    if (property.type === "SliceExpression") return this.#slice(value, property, scope);
    if (computed) return element(value, this.#value(property, scope), this.#budget);
    if (property.type === "Identifier") return attribute(value, property.value, this.#budget);
    return element(value, this.#value(property, scope), this.#budget);
  }

  #slice(value: Value, { start, stop, step }: Slice, scope: Scope): Value {
    const bound = (node: Expression | undefined) => {
      const number = node === undefined ? null : this.#value(node, scope);
      if (number === null) return undefined;
      if (number instanceof Num && !number.isFloat) return number.value;
      throw new TemplateError(`slice indices must be integers or None, not ${typeName(number)}`);
    };
    if (value instanceof Undefined) throw new TemplateError(value.hint);
    if (value instanceof List) this.#budget.step(Math.ceil(value.items.length / 16));
    if (value instanceof Text) this.#budget.step(step === undefined ? Math.ceil(value.text.length / 256) : value.text.length);
    if (!(value instanceof Text || (value instanceof List && value.kind !== "lazy" && value.kind !== "view")))
      throw new TemplateError(`'${typeName(value)}' object is not subscriptable`);
    return slice(value, bound(start), bound(stop), bound(step) ?? 1);
  }

  #arguments(nodes: readonly Argument[], scope: Scope): Arguments {
    const positional: Value[] = [];
    const named: (readonly [Text, Value])[] = [];
    for (const node of nodes) {
      if (node.type === "SpreadExpression") positional.push(...iterate(this.#value(node.argument, scope)));
      else if (node.type === "KeywordArgumentExpression") named.push([Text.of(node.key.value), this.#value(node.value, scope)]);
      else if (node.type === "KeywordSpreadExpression") {
        const dict = this.#value(node.argument, scope);
        if (!(dict instanceof Dict)) throw new TemplateError(`argument after ** must be a mapping, not ${typeName(dict)}`);
        named.push(...dict.entries.values());
      } else positional.push(this.#value(node, scope));
    }
    return { positional, named: new Dict(named) };
  }

  #call(callee: Value, args: Arguments): Value {
    if (callee instanceof Undefined) throw new TemplateError(callee.hint);
    if (!(callee instanceof Callable)) throw new TemplateError(`'${typeName(callee)}' object is not callable`);
    return callee.call(args);
  }

  #binary(operator: string, left: Expression, right: Expression, scope: Scope): Value {
    const a = this.#value(left, scope);
    if (operator === "and") return isTrue(a) ? this.#value(right, scope) : a;
    if (operator === "or") return isTrue(a) ? a : this.#value(right, scope);
    return binary(operator, a, this.#value(right, scope), this.#budget);
  }

  #filter(value: Value, node: Identifier | Call, scope: Scope): Value {
    const callee = node.type === "Identifier" ? node : node.callee;
    if (callee.type !== "Identifier") throw new TemplateError("a filter is not a name");
    const args = node.type === "Identifier" ? { positional: [], named: new Dict([]) } : this.#arguments(node.args, scope);
    return filter(callee.value, value, args, this.#budget);
  }
}

interface MacroParts {
  readonly name: string;
  readonly parameters: readonly Parameter[];
  readonly body: readonly Statement[];
}

/** Whether a name stands anywhere in a tree. */
function mentions(node: unknown, name: string): boolean {
  if (node instanceof Map) return mentions([...node].flat(), name);
  if (Array.isArray(node)) return node.some((item) => mentions(item, name));
  if (typeof node !== "object" || node === null) return false;
  return ("type" in node && node.type === "Identifier" && "value" in node && node.value === name) || mentions(Object.values(node), name);
}

const text = (name: string) => Text.of(name);
/** Made once: a loop's every turn gets a dict with these keys. */
const names = {
  ...{ index: text("index"), index0: text("index0"), revindex: text("revindex"), revindex0: text("revindex0") },
  ...{ first: text("first"), last: text("last"), length: text("length"), depth: text("depth"), depth0: text("depth0") },
  ...{ previtem: text("previtem"), nextitem: text("nextitem"), cycle: text("cycle"), changed: text("changed") },
};

/** What a loop's body knows as `loop`. @param changes by the loop, what `loop.changed` was given last */
function loopFacts(items: readonly Value[], i: number, changes: Map<string, Value>): Dict {
  const none = new Undefined("there is no such item in the loop");
  return new Dict([
    [names.index, integer(i + 1)],
    [names.index0, integer(i)],
    [names.revindex, integer(items.length - i)],
    [names.revindex0, integer(items.length - i - 1)],
    [names.first, i === 0],
    [names.last, i === items.length - 1],
    [names.length, integer(items.length)],
    [names.depth, integer(1)],
    [names.depth0, integer(0)],
    [names.previtem, items[i - 1] ?? (i > 0 ? null : none)],
    [names.nextitem, items[i + 1] ?? (i + 1 < items.length ? null : none)],
    [names.cycle, new Callable("loop.cycle()", (args) => cycled(args, i))],
    [names.changed, new Callable("loop.changed()", (args) => hasChanged(args, changes))],
  ]);
}

function cycled({ positional }: Arguments, i: number): Value {
  if (positional.length === 0) throw new TemplateError("no items for cycling given");
  return positional[i % positional.length] ?? null;
}

function hasChanged({ positional }: Arguments, changes: Map<string, Value>): boolean {
  const value = new List(positional, "tuple");
  const before = changes.get("last");
  changes.set("last", value);
  return before === undefined || !isEqual(before, value);
}
