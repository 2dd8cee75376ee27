export { type CodePoints, codePoints, complement, contains, everything, intersection, lastCodePoint, union } from "./code-points.ts";
export { PatternError } from "./parse.ts";
export { Regex, type Span } from "./regex.ts";
export { categoryOf, eachCategory, named as characterClass, property as unicodeProperty } from "./unicode.ts";
