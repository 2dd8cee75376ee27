// Members of a JSON document that others wrote, each checked before it is used.
import { fail } from "../base/index.ts";
import { isObject, type JsonObject, kindOf, quote } from "./json.ts";
import { oddPartKey } from "./tokenizer-keys.ts";

/** Whether a value is a whole number from 0 on, small enough to be an id. */
export function isId(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value < 2 ** 31;
}

/** Names the file in every message. */
export class JsonFields {
  readonly where: string;
  readonly file: string;

  constructor(where: string, file: string) {
    this.where = where;
    this.file = file;
  }

  fail(message: string): never {
    return fail(this.where, `${this.file}: ${message}`);
  }

  object(value: unknown, name: string): JsonObject {
    return isObject(value) ? value : this.fail(`${name} must be an object, but it is ${kindOf(value)}`);
  }

  /** One part of a pipeline, with its type and no key that parts of that type do not have. */
  part(value: unknown, name: string): JsonObject {
    const part = this.object(value, name);
    this.string(part.type, `${name}.type`);
    const odd = oddPartKey(part);
    return odd === undefined ? part : this.fail(`${name}, a ${quote(String(part.type))}, has ${quote(odd)}, which cria does not know`);
  }

  array(value: unknown, name: string): readonly unknown[] {
    return Array.isArray(value) ? value : this.fail(`${name} must be a list, but it is ${kindOf(value)}`);
  }

  string(value: unknown, name: string): string {
    return typeof value === "string" ? value : this.fail(`${name} must be a string, but it is ${kindOf(value)}`);
  }

  /** A whole number from 0 on, small enough to be an id. */
  id(value: unknown, name: string): number {
    return isId(value) ? value : this.fail(`${name} must be an id, but it is ${kindOf(value)}`);
  }

  /** True or false; undefined where the field is absent or null. */
  flag(value: unknown, name: string): boolean | undefined {
    if (value === undefined || value === null) return undefined;
    return typeof value === "boolean" ? value : this.fail(`${name} must be true or false, but it is ${kindOf(value)}`);
  }
}
