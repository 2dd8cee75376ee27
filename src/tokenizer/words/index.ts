export { type CutWords, type WordRules, wordCutter } from "./cut-words.ts";
export { mergeCounts } from "./merge-counts.ts";
export { type ByteRange, eachSpeltWord, eachWordOf, type WordBlock, type WordCounts } from "./word-counts.ts";
export { type WordSizes, WordTable } from "./word-table.ts";
