// Arguments that are written one by one between tags, as Qwen3-Coder has them: strings stand there as they are, other values as JSON.
import { check, isObject, type JsonObject } from "../base/index.ts";
import { type Expression, either, type Grammar, GrammarComposer, optional, sequence, text } from "../grammar/index.ts";
import type { ArgumentsReader } from "./call-reader.ts";
import { behindSpace, endOfLiteral, escaped, withoutLastSpace } from "./literal.ts";
import type { ArgumentTags } from "./output-format.ts";

const where = "dialogue";

/** Keywords of an object's schema that members written one by one keep to by themselves. */
const plainKeywords = [
  ...["type", "properties", "required", "additionalProperties", "$defs", "definitions", "$schema", "$id", "$comment"],
  ...["title", "description", "default", "examples", "strict"],
];

/** A schema's members. @throws CriaError naming a keyword that says more of an object than its members */
function membersOf(schema: object): { readonly key: string; readonly schema: object; readonly isRequired: boolean }[] {
  const { properties = {}, required = [], $schema, $defs, definitions } = schema as JsonObject;
  const odd = Object.keys(schema).find((key) => !plainKeywords.includes(key));
  check(
    odd === undefined,
    where,
    () => `/${odd}: the keyword is not supported where a model writes arguments one by one: say it of a member`,
  );
  checkReferences(schema);
  const members = Object.entries(isObject(properties) ? properties : {});
  const names = Array.isArray(required) ? required : [];
  const unnamed = names.find((name) => !members.some(([key]) => key === name));
  check(
    unnamed === undefined,
    where,
    () => `/required: ${JSON.stringify(unnamed)} is required but not one of the properties: add it there`,
  );
  const shared = Object.fromEntries(Object.entries({ $schema, $defs, definitions }).filter(([, value]) => value !== undefined));
  return members.map(([key, member]) => ({ key, schema: { ...shared, allOf: [member] }, isRequired: names.includes(key) }));
}

/** A member becomes a document of its own, in which only definitions keep their place. */
function checkReferences(value: unknown): void {
  if (Array.isArray(value)) for (const item of value) checkReferences(item);
  if (!isObject(value)) return;
  const { $ref } = value;
  check(
    typeof $ref !== "string" || /^#\/(\$defs|definitions)\//.test($ref),
    where,
    () => `the reference ${JSON.stringify($ref)} is not supported where a model writes arguments one by one: put its target into $defs`,
  );
  for (const item of Object.values(value)) checkReferences(item);
}

const notString = { not: { type: "string" } };

/** The texts of arguments. @throws CriaError naming what a schema says that is not supported */
export function taggedText(schema: object, { open, middle, close }: ArgumentTags, composer: GrammarComposer): Expression {
  const pairs = membersOf(schema).map(({ key, schema: member, isRequired }) => {
    const strings = composer.strings(member, escaped(close.trim()));
    const others = composer.jsonIfAny({ ...member, ...notString }, key);
    const values = [others, strings].filter((value) => value !== undefined);
    check(
      values.length > 0 || !isRequired,
      where,
      () => `/properties/${key}: no value is valid, and one must be: what is required contradicts itself`,
    );
    const pair = sequence(text(open + key + middle), either(values), text(close));
    return isRequired ? pair : optional(pair);
  });
  return sequence(...pairs);
}

/** What an argument may be that is no string; undefined where it is always one. */
function othersOf(member: object): Grammar | undefined {
  const composer = new GrammarComposer();
  const others = composer.jsonIfAny({ ...member, ...notString }, "value");
  return others && composer.grammar(others);
}

/** What reads the arguments of one tool's calls. What a member may be beside a string is worked out when a call first has it. */
export function taggedReaders(schema: object, tags: ArgumentTags): () => ArgumentsReader {
  const known = new Map<string, Grammar | undefined>();
  const members = new Map(membersOf(schema).map(({ key, schema: member }) => [key, member]));
  const isOther = (key: string, value: string) => {
    const member = members.get(key);
    if (member !== undefined && !known.has(key)) known.set(key, othersOf(member));
    return known.get(key)?.accepts(value) ?? false;
  };
  return () => new TaggedArguments({ has: (key) => members.has(key), isOther }, tags);
}

/** What a tool's arguments may be. */
interface Members {
  has(key: string): boolean;
  /** Whether a value stands for something else than a string. */
  isOther(key: string, value: string): boolean;
}

/** Values come when they are whole. */
class TaggedArguments implements ArgumentsReader {
  readonly #members: Members;
  readonly #tags: ArgumentTags;
  #count = 0;

  constructor(members: Members, tags: ArgumentTags) {
    this.#members = members;
    this.#tags = tags;
  }

  read(text: string, start: number): ReturnType<ArgumentsReader["read"]> {
    let json = "";
    for (let at = start; ; ) {
      const begin = behindSpace(text, at);
      const key = endOfLiteral(this.#tags.open, text, begin);
      if (key === "cut" || begin === text.length) return { end: at, json, isWhole: false };
      if (key === undefined) return { end: begin, json: `${json}${this.#count === 0 ? "{" : ""}}`, isWhole: true };
      const pair = this.#pair(text, key);
      if (pair === undefined) return undefined;
      if (pair === "cut") return { end: at, json, isWhole: false };
      json += `${this.#count++ === 0 ? "{" : ", "}${pair.json}`;
      at = pair.end;
    }
  }

  /** A value ends in front of the first closing tag, and one line end on either side is not its own. */
  #pair(text: string, start: number): { readonly end: number; readonly json: string } | "cut" | undefined {
    const { middle, close } = this.#tags;
    const [mark, tag] = [middle.slice(0, withoutLastSpace(middle)), close.trim()];
    const name = text.indexOf(mark, start);
    const tagAt = name < 0 ? -1 : text.indexOf(tag, name + mark.length);
    if (tagAt < 0) return "cut";
    const key = text.slice(start, name);
    const from = text.startsWith(middle, name) ? name + middle.length : name + mark.length;
    const before = close.slice(0, behindSpace(close, 0));
    const to = text.endsWith(before, tagAt) && tagAt - before.length >= from ? tagAt - before.length : tagAt;
    if (!this.#members.has(key)) return undefined;
    const value = text.slice(from, to);
    return {
      end: tagAt + tag.length,
      json: `${JSON.stringify(key)}: ${this.#members.isOther(key, value) ? value : JSON.stringify(value)}`,
    };
  }
}
