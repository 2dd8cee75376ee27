export { type CountedTexts, type CountOptions, countTexts, usualMemory } from "./count-texts.ts";
