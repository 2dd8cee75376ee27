import { expect, test } from "vitest";
import { CriaError, UsageError } from "../base/index.ts";
import type { FlagRow } from "./command.ts";
import { withFlags } from "./flag-hints.ts";

const flags: readonly FlagRow[] = ["context", "cache", "out"].map((name) => ({ name, type: "string", help: "" }));

test("a message ends with the flags that are its way out, where the command has them", () => {
  const error = new CriaError("infer", "too little memory: use less", { ways: ["contextLength", "cacheType"] });
  expect(withFlags(error, flags)).toMatchObject({ message: "[infer] too little memory: use less (--context, --cache)", cause: error });
  const usage = withFlags(new UsageError("run", "in use: choose another", { ways: ["resume", "out"] }), flags);
  expect(usage).toBeInstanceOf(UsageError);
  expect((usage as Error).message).toBe("[run] in use: choose another (--out)");
});

test("other errors stay as they are", () => {
  for (const error of [new Error("a"), new CriaError("a", "b"), new CriaError("a", "b", { ways: ["resume"] }), undefined])
    expect(withFlags(error, flags)).toBe(error);
});
