// What filters, methods and functions are called with, read by the names of their parameters.
import { Text } from "./text.ts";
import { type Arguments, numberOf, TemplateError, typeName, type Value } from "./values.ts";

/** The parameters of one call, by name. */
export class Bound {
  readonly #name: string;
  readonly #values = new Map<string, Value>();

  /** @throws TemplateError for a parameter that is not there, or given twice. */
  constructor(name: string, args: Arguments, parameters: readonly string[]) {
    this.#name = name;
    if (args.positional.length > parameters.length)
      throw new TemplateError(`${name} takes ${parameters.length} arguments at most, ${args.positional.length} are given`);
    for (const [i, value] of args.positional.entries()) this.#values.set(parameters[i]!, value);
    for (const [key, [, value]] of args.named.entries) {
      if (!parameters.includes(key)) throw new TemplateError(`${name} has no argument '${key}'`);
      if (this.#values.has(key)) throw new TemplateError(`${name} got multiple values for argument '${key}'`);
      this.#values.set(key, value);
    }
  }

  value(key: string): Value | undefined {
    return this.#values.get(key);
  }

  needed(key: string): Value {
    return this.#values.get(key) ?? (this.#values.has(key) ? null : this.#fail(`needs the argument '${key}'`));
  }

  /** Absent or None: undefined. */
  text(key: string): Text | undefined {
    const value = this.#values.get(key) ?? null;
    return value === null || value instanceof Text ? (value ?? undefined) : this.#wrong(key, "str", value);
  }

  neededText(key: string): Text {
    return this.text(key) ?? this.#fail(`needs the text '${key}'`);
  }

  /** A whole number; absent or None: undefined. */
  integer(key: string): number | undefined {
    const value = this.#values.get(key) ?? null;
    if (value === null) return undefined;
    const number = numberOf(value);
    return number !== undefined && !number.isFloat ? number.value : this.#wrong(key, "int", value);
  }

  #wrong(key: string, wanted: string, value: Value): never {
    return this.#fail(`needs '${key}' as ${wanted}, not ${typeName(value)}`);
  }

  #fail(message: string): never {
    throw new TemplateError(`${this.#name} ${message}`);
  }
}
