export { type CodePoints, contains } from "./code-points.ts";
export { PatternError } from "./parse.ts";
export { Regex, type Span } from "./regex.ts";
export { named as characterClass } from "./unicode.ts";
