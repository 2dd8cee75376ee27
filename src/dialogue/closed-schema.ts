// Arguments have no members but those that their schema names.
import { isObject, type JsonObject } from "../base/index.ts";

/** Keywords beside which an object's members are not all in `properties`, or cannot be told from there. */
const openKeywords = [
  ...["additionalProperties", "patternProperties", "unevaluatedProperties", "propertyNames", "minProperties", "$ref", "$dynamicRef"],
  ...["allOf", "anyOf", "oneOf", "not", "if", "dependentSchemas", "dependentRequired", "dependencies"],
];

/**
 * The same schema without members that it allows and does not name: JSON Schema allows them where `additionalProperties` is silent, and a model that may
 * write them invents arguments without end. What is valid by the outcome is valid by the schema. Objects with combinations of schemas stay as they are.
 */
export function closedSchema(schema: JsonObject): JsonObject {
  const { properties, items, required } = schema;
  const isPlain = isObject(properties) && !openKeywords.some((keyword) => keyword in schema);
  const names = isObject(properties) ? Object.keys(properties) : [];
  const isNamed = !Array.isArray(required) || required.every((name) => names.includes(name));
  return {
    ...schema,
    ...(isObject(properties) && { properties: Object.fromEntries(Object.entries(properties).map(([key, one]) => [key, closedPart(one)])) }),
    ...(isObject(items) && { items: closedPart(items) }),
    ...(isPlain && isNamed && { additionalProperties: false }),
  };
}

function closedPart(schema: unknown): unknown {
  return isObject(schema) ? closedSchema(schema) : schema;
}
