import { expect, test } from "vitest";
import { fuzzedReaders, fuzzReader } from "./fuzz-readers.test.helper.ts";

test.each(fuzzedReaders().map((reader) => [reader.name, reader] as const))(
  "10,000 changed files are read, told or refused: %s",
  { timeout: 3_600_000 },
  async (_, reader) => {
    const { refused, told } = await fuzzReader(reader, 2, 10_000);
    expect(refused + told).toBeGreaterThan(500);
  },
);
