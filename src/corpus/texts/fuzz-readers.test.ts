import { expect, test } from "vitest";
import { fuzzedReaders, fuzzReader } from "./fuzz-readers.test.helper.ts";

/** 7-Zip starts twice for each archive, which takes ten times as long as any other reader. */
const roundsOf = (name: string) => (name === "7z" ? 60 : 300);

test.each(fuzzedReaders().map((reader) => [reader.name, reader] as const))(
  "changed files are read, told or refused: %s",
  async (name, reader) => {
    const { refused, told, whole } = await fuzzReader(reader, 1, roundsOf(name));
    expect(refused + told).toBeGreaterThan(10);
    expect(refused + told + whole).toBe(roundsOf(name));
  },
);
