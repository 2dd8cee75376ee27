export { count, lengthCount } from "./count.ts";
export { parseWith } from "./explain-zod.ts";
export { isYamlMap, yamlValue } from "./yaml-value.ts";
