// Reading JSON that others wrote: every field is checked before it is used.
import { CriaError, fail } from "../base/index.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

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

  /** The document as an object. @throws CriaError when it is cut short or no object. */
  parse(text: string): JsonObject {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      throw new CriaError(this.where, `${this.file}: is no JSON (${(error as Error).message}): it may be cut short, fetch it again`, {
        cause: error,
      });
    }
    return this.object(value, "the document");
  }

  object(value: unknown, name: string): JsonObject {
    if (isObject(value)) return value;
    return this.fail(`${name} must be an object, but it is ${describe(value)}`);
  }

  array(value: unknown, name: string): readonly unknown[] {
    return Array.isArray(value) ? value : this.fail(`${name} must be a list, but it is ${describe(value)}`);
  }

  string(value: unknown, name: string): string {
    return typeof value === "string" ? value : this.fail(`${name} must be a string, but it is ${describe(value)}`);
  }

  /** A whole number from 0 on, small enough to be an id. */
  id(value: unknown, name: string): number {
    const isId = typeof value === "number" && Number.isInteger(value) && value >= 0 && value < 2 ** 31;
    return isId ? value : this.fail(`${name} must be an id, but it is ${describe(value)}`);
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function describe(value: unknown): string {
  if (value === undefined) return "missing";
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
