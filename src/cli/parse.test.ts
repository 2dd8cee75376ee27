import { expect, test } from "vitest";
import { UsageError } from "../base/index.ts";
import type { FlagRow } from "./command.ts";
import { parseFlags, requireFlags } from "./parse.ts";

const rows: readonly FlagRow[] = [
  { name: "out", type: "string", help: "where to", required: true },
  { name: "merges", type: "number", help: "merges" },
  { name: "vocab-size", type: "number", isLength: true, help: "pieces", default: 4096 },
  { name: "stop", type: "string", help: "ends the text", repeat: true },
  { name: "resume", type: "boolean", help: "go on" },
  { name: "mmap", type: "boolean", help: "map files", default: true },
];
const parse = (...words: string[]) => parseFlags("here", rows, words);

test("flags in every form, arguments between them, defaults for the rest", () => {
  const { args, flags } = parse(
    "a",
    "--out=x y",
    "--vocab-size",
    "1e3",
    "b",
    "--stop",
    "-1",
    "--stop=--",
    "--resume",
    "--no-mmap",
    "--",
    "--out",
  );
  expect(args).toEqual(["a", "b", "--out"]);
  expect(flags).toEqual({ out: "x y", merges: undefined, "vocab-size": 1000, stop: ["-1", "--"], resume: true, mmap: false });
  expect(parse().flags).toEqual({ out: undefined, merges: undefined, "vocab-size": 4096, stop: [], resume: false, mmap: true });
});

test.each([
  ["4_000_000", 4e6],
  ["4k", 4000],
  ["7B", 7e9],
  ["50,000", 50000],
  ["-1", -1],
])("the number %s", (text, value) => {
  expect(parse("--merges", text).flags.merges).toBe(value);
});

test.each([
  [["--uot", "x"], '[here] unknown flag --uot, did you mean "--out"?'],
  [["--vocab", "8"], '[here] unknown flag --vocab, did you mean "--vocab-size"?'],
  [["--frobnicate"], "[here] unknown flag --frobnicate: there are --out, --merges, --vocab-size, --stop, --resume, --mmap"],
  [["-x"], "[here] unknown flag -x"],
  [["-5"], '[here] "-5" begins with "-" and is read as a flag: put arguments behind --, as in -- "-5"'],
  [["-5 degrees"], '[here] "-5 degrees" begins with "-" and is read as a flag: put arguments behind --, as in -- "-5 degrees"'],
  [["a", "-.5"], '[here] "-.5" begins with "-"'],
  [["--out"], "[here] --out needs a value: where to"],
  [["--out="], "[here] --out needs a value: where to"],
  [["--out", "--resume"], '[here] --out needs a value, but "--resume" follows: write --out=--resume if that is the value'],
  [["--vocab-size", "many"], '[here] --vocab-size needs a number, but has "many": pieces'],
  [["--vocab-size", " "], '[here] --vocab-size needs a number, but has " ": pieces'],
  [["--vocab-size", "Infinity"], '[here] --vocab-size needs a number, but has "Infinity": pieces'],
  [["--vocab-size", "8k"], '[here] --vocab-size is "8k", but "k" may stand for 1000 or 1024 here: write 8000 or 8192'],
  [["--resume=yes"], '[here] --resume takes no value, but has "yes": write --resume or --no-resume'],
  [["--out", "a", "--out", "b"], '[here] --out is given as "a" and as "b": give it once'],
])("%j is a wrong use", (words, message) => {
  expect(() => parse(...words)).toThrow(UsageError);
  expect(() => parse(...words)).toThrow(message);
});

test("behind -- a number below zero is an argument", () => {
  expect(parse("a", "--", "-5", "-5 degrees").args).toEqual(["a", "-5", "-5 degrees"]);
});

test("a flag that must be given", () => {
  expect(() => requireFlags("here", rows, parse().flags)).toThrow("[here] --out must be given: where to");
  const two: readonly FlagRow[] = [...rows, { name: "kind", type: "string", help: "of what kind", required: true }];
  expect(() => requireFlags("here", two, parseFlags("here", two, []).flags)).toThrow(
    "[here] --out must be given: where to\n[here] --kind must be given: of what kind",
  );
  requireFlags("here", rows, parse("--out", "x").flags);
});
