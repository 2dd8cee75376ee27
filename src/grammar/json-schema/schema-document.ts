// A schema as a document: every subschema with its place, checked keyword by keyword before anything is compiled, and the places that references name.
import { didYouMean, fail } from "../../base/index.ts";
import { isArray, type Json } from "./json-text.ts";
import { type Draft, type Holds, keywords } from "./keywords.ts";

const where = "json-schema";

/** A schema's value: true allows every instance, false none. */
export type SchemaValue = boolean | { readonly [keyword: string]: Json };

/** A schema at its place. */
export interface SchemaPlace {
  readonly id: number;
  readonly value: SchemaValue;
  /** The JSON pointer from the document's root. */
  readonly pointer: string;
  /** What relative references in it are relative to. */
  readonly base: string;
}

/** Subschemas of a schema. */
const mostPlaces = 20_000;
/** Subschemas inside of subschemas. */
const mostDepth = 200;

const drafts: Readonly<Record<string, Draft>> = {
  "http://json-schema.org/draft-04/schema": "draft 4",
  "http://json-schema.org/draft-06/schema": "draft 7",
  "http://json-schema.org/draft-07/schema": "draft 7",
  "https://json-schema.org/draft/2020-12/schema": "draft 2020-12",
};
/** A document without an $id has this one, which no reference of its own can name by accident. */
const usualBase = "https://schema.invalid/";

/** All places of a document. */
export class SchemaDocument {
  readonly draft: Draft;
  readonly root: SchemaPlace;
  readonly #byPointer = new Map<string, SchemaPlace>();
  readonly #byAddress = new Map<string, SchemaPlace>();
  #count = 0;

  /** @throws CriaError naming the place of a keyword that is unknown, not supported or of the wrong form */
  constructor(schema: unknown) {
    this.draft = draftOf(schema);
    this.root = this.#walk(schema, "", usualBase, 0);
  }

  /** The subschema below a keyword of a place. */
  below(place: SchemaPlace, ...keys: readonly (string | number)[]): SchemaPlace {
    const pointer = place.pointer + keys.map((key) => `/${pointerToken(String(key))}`).join("");
    return this.#byPointer.get(pointer) ?? fail(where, `${pointer} is no schema`);
  }

  /** The place that a reference names. @throws CriaError where it is not in the document */
  target(place: SchemaPlace, reference: string): SchemaPlace {
    let address: URL;
    try {
      address = new URL(reference, place.base);
    } catch {
      return this.fail(place, "$ref", `"${reference}" is no address`);
    }
    const fragment = decode(address.hash.slice(1)) ?? this.fail(place, "$ref", `"${reference}" is no address`);
    address.hash = "";
    const resource = this.#byAddress.get(address.href);
    if (resource === undefined)
      return this.fail(
        place,
        "$ref",
        `"${reference}" lies outside of the schema, and nothing is fetched: put it into $defs and refer to it there`,
      );
    const found =
      fragment === ""
        ? resource
        : fragment.startsWith("/")
          ? this.#byPointer.get(resource.pointer + fragment)
          : this.#byAddress.get(`${address.href}#${fragment}`);
    return found ?? this.fail(place, "$ref", `"${reference}" names no schema of the document`);
  }

  /** @param keyword the keyword at the place, "" for the place itself @throws CriaError naming it */
  fail(place: SchemaPlace, keyword: string, problem: string): never {
    const name = keyword === "" ? place.pointer || "the schema" : placeName(place.pointer, keyword);
    return fail(where, `${name}: ${problem}`);
  }

  #walk(schema: unknown, pointer: string, outer: string, depth: number): SchemaPlace {
    const at = pointer === "" ? "the schema" : pointer;
    if (depth > mostDepth) fail(where, `${at}: schemas more than ${mostDepth} deep are not supported`);
    if (this.#count >= mostPlaces) fail(where, `${at}: the schema has more than ${mostPlaces} subschemas, which is the limit`);
    if (typeof schema !== "boolean" && (typeof schema !== "object" || schema === null || Array.isArray(schema)))
      fail(where, `${at} is ${JSON.stringify(schema)} but must be an object, true or false`);
    const value = schema as SchemaValue;
    const place: SchemaPlace = { id: this.#count++, value, pointer, base: this.#baseOf(value, pointer, outer) };
    this.#byPointer.set(pointer, place);
    if (pointer === "") this.#name(place, place.base);
    if (typeof value === "boolean") return place;
    for (const [name, content] of Object.entries(value)) {
      const { holds } = this.#check(place, name, content);
      for (const [keys, subschema] of subschemas(holds, content)) {
        const below = pointer + [name, ...keys].map((key) => `/${pointerToken(key)}`).join("");
        this.#walk(subschema, below, place.base, depth + 1);
      }
    }
    const { $anchor } = value;
    const $id = this.#id(value);
    if (typeof $id === "string" && !$id.startsWith("#") && place.base !== outer) this.#name(place, place.base);
    const anchor = typeof $id === "string" && $id.startsWith("#") ? $id.slice(1) : $anchor;
    if (typeof anchor === "string") this.#name(place, `${withoutHash(place.base)}#${anchor}`);
    return place;
  }

  #id(value: { readonly [keyword: string]: Json }): Json | undefined {
    return this.draft === "draft 4" ? value.id : value.$id;
  }

  #baseOf(value: SchemaValue, pointer: string, outer: string): string {
    const id = typeof value === "boolean" ? undefined : this.#id(value);
    // Older drafts do not look at what stands beside a reference; other keywords there are conditions that hold as well.
    if (this.draft !== "draft 2020-12" && typeof value === "object" && "$ref" in value) return outer;
    if (typeof id !== "string" || id.startsWith("#")) return outer;
    try {
      return withoutHash(new URL(id, outer).href);
    } catch {
      return fail(where, `${placeName(pointer, "$id")}: "${id}" is no address`);
    }
  }

  #name(place: SchemaPlace, address: string): void {
    const known = this.#byAddress.get(address);
    if (known !== undefined && known !== place) this.fail(place, "$id", `${address} names ${known.pointer || "the schema"}, too`);
    this.#byAddress.set(address, place);
  }

  #check(place: SchemaPlace, name: string, content: unknown) {
    const keyword = Object.hasOwn(keywords, name) ? keywords[name] : undefined;
    if (keyword === undefined)
      return this.fail(
        place,
        name,
        `the keyword is not known${didYouMean(name, Object.keys(keywords)) || ": omit it, if it says nothing about valid instances"}`,
      );
    if (keyword.drafts?.includes(this.draft) === false) {
      const other = Object.entries(drafts).findLast(([, draft]) => draft === keyword.drafts?.at(-1))?.[0];
      return this.fail(
        place,
        name,
        `the keyword is of ${keyword.drafts.join(" and ")}, but the schema of ${this.draft}: say "$schema": "${other}"`,
      );
    }
    if (keyword.refused !== undefined) return this.fail(place, name, `the keyword is not supported: ${keyword.refused}`);
    if (!keyword.isRight(content, this.draft))
      return this.fail(place, name, `the value is ${JSON.stringify(content)} but must be ${keyword.what}`);
    if (name === "items" && isArray(content) && this.draft === "draft 2020-12")
      return this.fail(
        place,
        name,
        'an array is of draft 7, but the schema of draft 2020-12: use prefixItems, or say "$schema": "http://json-schema.org/draft-07/schema#"',
      );
    if (name === "$schema" && place.pointer !== "" && draftOf({ $schema: content }) !== this.draft)
      return this.fail(place, name, `a part of another draft is not supported: the schema is of ${this.draft}`);
    return keyword;
  }
}

/** Draft 2020-12 where the schema does not say. */
function draftOf(schema: unknown): Draft {
  const name = typeof schema === "object" && schema !== null && "$schema" in schema ? schema.$schema : undefined;
  if (name === undefined) return "draft 2020-12";
  const draft = typeof name === "string" ? drafts[name.replace(/#$/, "")] : undefined;
  return draft ?? fail(where, `/$schema: ${JSON.stringify(name)} is not supported: ${Object.keys(drafts).join(" and ")} are`);
}

/** The subschemas in a keyword's value, with the keys that lead to them. */
function subschemas(holds: Holds, content: unknown): (readonly [readonly string[], unknown])[] {
  if (holds === "value") return [];
  if (holds === "schema" || (holds === "schema or list" && !isArray(content))) return [[[], content]];
  const entries = Object.entries(content as object);
  const found = holds === "schemas or names" ? entries.filter(([, item]) => !isArray(item)) : entries;
  return found.map(([key, item]) => [[key], item]);
}

function placeName(pointer: string, keyword: string): string {
  return `${pointer}/${pointerToken(keyword)}`;
}

function pointerToken(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}

function withoutHash(address: string): string {
  return address.replace(/#.*$/s, "");
}

function decode(fragment: string): string | undefined {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return undefined;
  }
}
