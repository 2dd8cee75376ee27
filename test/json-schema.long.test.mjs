// The judges of JSON Schema's grammars that take long: many random schemas against ajv, and the cases of JSON-Schema-Test-Suite.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CriaError } from "../dist/base/index.js";
import { jsonSchemaGrammar } from "../dist/grammar/index.js";
import { sharedData } from "../dist/load/shared-data.test.helper.js";
import { judge, textsOf } from "./json-schema.helper.mjs";

test("random schemas", () => {
  expect(judge(1000, 4000).compiled).toBeGreaterThan(2000);
});

// github.com/json-schema-org/JSON-Schema-Test-Suite, a checkout of it.
const suite = process.env.CRIA_JSON_SCHEMA_TEST_SUITE ?? sharedData("JSON-Schema-Test-Suite");
const hasSuite = suite !== undefined && existsSync(join(suite, "tests"));
if (!hasSuite) console.warn("skipped: the cases of JSON-Schema-Test-Suite, its folder is not here (CRIA_JSON_SCHEMA_TEST_SUITE)");

/** Files with valid instances that the grammars do not write: formats have only common forms, and numbers only so many digits. */
const incomplete = /^optional[\\/](format[\\/]|bignum|float-overflow)|^format\.json/;
/** Draft 7 does not look at keywords beside a reference, where the grammars have them as conditions, too. */
const stricter = new Set(["$ref overrides any sibling keywords", "ref overrides any sibling keywords"]);

test.runIf(hasSuite).each([
  ["draft7", "http://json-schema.org/draft-07/schema#"],
  ["draft2020-12", "https://json-schema.org/draft/2020-12/schema"],
])("JSON-Schema-Test-Suite, %s", (draft, $schema) => {
  const folder = join(suite, "tests", draft);
  const files = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".json"));
  let judged = 0;
  for (const file of files) {
    for (const { description, schema, tests } of JSON.parse(readFileSync(join(folder, file), "utf8"))) {
      const grammar = compiled(typeof schema === "object" ? { $schema, ...schema } : schema, tests);
      for (const { data, valid, description: detail } of grammar === undefined ? [] : tests) {
        const accepts = [...textsOf(data)].some((text) => grammar.accepts(text));
        const place = { file, description, detail, data };
        if (accepts || !(incomplete.test(file) || stricter.has(description)))
          expect({ ...place, accepts }).toEqual({ ...place, accepts: valid });
        judged++;
      }
    }
  }
  expect(judged).toBeGreaterThan(1000);
});

/** The schema's grammar, or undefined where it is refused; contradictory schemas must have no valid instance. */
function compiled(schema, tests) {
  try {
    return jsonSchemaGrammar(schema);
  } catch (error) {
    expect(error).toBeInstanceOf(CriaError);
    expect(error.message).toMatch(/^\[json-schema\] (\/|the schema)/);
    if (/no text is valid/.test(error.message)) expect(tests.filter(({ valid }) => valid)).toEqual([]);
    return undefined;
  }
}
