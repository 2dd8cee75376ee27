// What keywords that combine no schemas say, as atoms. Keywords that belong together, such as those of members, are one atom of the first of them.
import { type Language, patternLanguage } from "../language.ts";
import { PatternProblem } from "../pattern.ts";
import type { Atom, AtomCondition, Goal, JsonType, NamedLanguage } from "./atoms.ts";
import { formatLanguage, formatNames } from "./formats.ts";
import { isArray, type Json } from "./json-text.ts";
import type { SchemaDocument, SchemaPlace } from "./schema-document.ts";

const infinity = Number.POSITIVE_INFINITY;

/** Makes the atoms of a document's keywords, each once. */
export class KeywordAtoms {
  readonly #document: SchemaDocument;
  readonly #atoms = new Map<string, readonly Atom[]>();
  readonly #languages = new Map<string, Language>();

  constructor(document: SchemaDocument) {
    this.#document = document;
  }

  /** Atoms of a keyword that combines nothing; undefined where it says nothing by itself. */
  of(place: SchemaPlace, keyword: string): readonly Atom[] | undefined {
    const key = `${place.id} ${keyword}`;
    const known = this.#atoms.get(key);
    if (known !== undefined) return known;
    const conditions = this.#conditions(place, keyword);
    const found = conditions?.map((condition) => ({ ...condition, place, keyword }));
    if (found !== undefined) this.#atoms.set(key, found);
    return found;
  }

  #conditions(place: SchemaPlace, keyword: string): readonly AtomCondition[] | undefined {
    const value = place.value as { readonly [keyword: string]: Json };
    const content = value[keyword];
    // A flag beside a bound of draft 4 says whether it is exclusive.
    const bound = (side: "least" | "most", isExclusive: boolean): AtomCondition[] =>
      typeof content === "number" ? [{ type: "bound", side, value: content, isExclusive }] : [];
    const least = { least: content as number, most: infinity };
    const most = { least: 0, most: content as number };
    switch (keyword) {
      case "type":
        return [{ type: "types", types: new Set(([content].flat() as string[]).flatMap(namedTypes)) }];
      case "enum":
        return [{ type: "values", values: content as readonly Json[], isNegated: false }];
      case "const":
        return [{ type: "values", values: [content!], isNegated: false }];
      case "minimum":
      case "exclusiveMinimum":
        return bound("least", keyword !== "minimum" || value.exclusiveMinimum === true);
      case "maximum":
      case "exclusiveMaximum":
        return bound("most", keyword !== "maximum" || value.exclusiveMaximum === true);
      case "multipleOf":
        return [{ type: "multiple", of: content as number, isNegated: false }];
      case "minLength":
        return [{ type: "length", ...least }];
      case "maxLength":
        return [{ type: "length", ...most }];
      case "minItems":
        return [{ type: "itemCount", ...least }];
      case "maxItems":
        return [{ type: "itemCount", ...most }];
      case "minProperties":
        return [{ type: "keyCount", ...least }];
      case "maxProperties":
        return [{ type: "keyCount", ...most }];
      case "uniqueItems":
        return content === true ? [{ type: "unique" }] : [];
      case "required":
        return (content as readonly string[]).map((key) => ({ type: "has", key, isNegated: false }));
      default:
        return this.#conditionsBelow(place, keyword, value);
    }
  }

  /** Conditions of keywords that hold schemas or name languages. */
  #conditionsBelow(place: SchemaPlace, keyword: string, value: { readonly [keyword: string]: Json }): readonly AtomCondition[] | undefined {
    const goal = (...keys: (string | number)[]) => goalOf(this.#document.below(place, ...keys));
    switch (keyword) {
      case "pattern":
      case "format":
        return [{ type: "language", named: this.#named(place, keyword, value[keyword] as string), isNegated: false }];
      case "contains":
        return value.minContains === 0
          ? []
          : [{ type: "contains", goal: goal("contains"), least: (value.minContains as number | undefined) ?? 1 }];
      case "propertyNames":
        return [{ type: "names", goal: goal("propertyNames") }];
      case "prefixItems":
        return [this.#items(place, "prefixItems", "items")];
      case "items":
        if (isArray(value.items)) return [this.#items(place, "items", "additionalItems")];
        return "prefixItems" in value ? undefined : [{ type: "items", first: [], rest: goal("items") }];
      case "properties":
      case "patternProperties":
      case "additionalProperties":
        return keyword === ["properties", "patternProperties", "additionalProperties"].find((name) => name in value)
          ? [this.#members(place, value)]
          : undefined;
      default:
        return undefined;
    }
  }

  #items(place: SchemaPlace, first: string, rest: string): AtomCondition {
    const value = place.value as { readonly [keyword: string]: Json };
    return {
      type: "items",
      first: (value[first] as readonly Json[]).map((_, i) => goalOf(this.#document.below(place, first, i))),
      rest: rest in value ? goalOf(this.#document.below(place, rest)) : [],
    };
  }

  #members(place: SchemaPlace, value: { readonly [keyword: string]: Json }): AtomCondition {
    const goals = (keyword: string) =>
      Object.keys(value[keyword] ?? {}).map((key) => [key, goalOf(this.#document.below(place, keyword, key))] as const);
    return {
      type: "members",
      byKey: new Map(goals("properties")),
      byLanguage: goals("patternProperties").map(([pattern, goal]) => ({ keys: this.#pattern(place, "patternProperties", pattern), goal })),
      rest: "additionalProperties" in value ? goalOf(this.#document.below(place, "additionalProperties")) : [],
    };
  }

  #named(place: SchemaPlace, keyword: "pattern" | "format", content: string): NamedLanguage {
    if (keyword === "pattern") return { language: this.#pattern(place, keyword, content), isExact: true };
    const language =
      formatLanguage(content) ?? this.#document.fail(place, keyword, `"${content}" is not supported: ${formatNames.join(", ")} are`);
    return { language, isExact: false };
  }

  #pattern(place: SchemaPlace, keyword: string, source: string): Language {
    const known = this.#languages.get(source);
    if (known !== undefined) return known;
    try {
      const found = patternLanguage(source);
      this.#languages.set(source, found);
      return found;
    } catch (error) {
      if (!(error instanceof PatternProblem)) throw error;
      return this.#document.fail(place, keyword, `the pattern ${JSON.stringify(source)}, ${error.message}`);
    }
  }
}

/** The schema must hold; one that always does is no condition. */
export function goalOf(place: SchemaPlace): Goal {
  return place.value === true ? [] : [{ place, isNegated: false }];
}

function namedTypes(name: string): JsonType[] {
  return name === "number" ? ["integer", "fraction"] : [name as JsonType];
}
