// Bytes of every kind of intermediate file, changed: its reader stops, and names the file that is to be removed. Whole runs are in checksums.long.test.ts.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { CleanDocument, type StatisticStep } from "../clean/index.ts";
import { Checksum, readCheckedJson, writeCheckedJson } from "../files/index.ts";
import { withFolder } from "../files/with-folder.test.helper.ts";
import { documentLine, readDocumentLines } from "./documents.ts";
import { findKeys, KeyWriter, readDocumentCount, readKeys } from "./keys.ts";
import { MarkStream, writeMarks } from "./marks.ts";
import { SampleMeter, WrittenMeasures } from "./measures.ts";
import { readTaskJson } from "./numbers.ts";
import { mergePairs, PairWriter, pairRunsOf } from "./pairs.ts";

const rng = new Rng(63);
const layout = { partitions: 3, bands: 0, partitionBits: 32 };

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

const lengths: StatisticStep = {
  share: 1,
  mostMeasures: 10,
  groupOf: ({ text }) => text.slice(0, 1),
  measure: ({ text }) => text.length,
  summarise: () => null,
  decider: () => (document) => document,
};

/** A kind of file: how it is written, how all of it is read, and what is to be removed where it is damaged. */
interface Kind {
  readonly name: string;
  readonly removed?: string;
  write(path: string): Promise<void>;
  read(path: string): Promise<unknown>;
}

let documentsChecksum = 0;

const kinds: readonly Kind[] = [
  {
    name: "a.keys",
    removed: "a.jsonl",
    async write(path) {
      await using writer = await KeyWriter.open(path, layout);
      for (const count of [9, 5]) await writer.writeRun({ halves: Uint32Array.from({ length: 2 * count }, () => rng.uint32()), count });
      await writer.finish(4);
    },
    async read(path) {
      await readDocumentCount(path);
      for (let partition = 0; partition < layout.partitions; partition++) await all(readKeys(await findKeys(path, partition, layout)));
    },
  },
  {
    name: "a.marks",
    write: (path) => writeMarks(path, { counts: Uint32Array.of(20, 0, 9), bits: Uint8Array.of(1, 2, 3, 4, 1) }),
    async read(path) {
      for (const [part, count] of [20, 0, 9].entries()) {
        const marks = await MarkStream.open(path, part, 2);
        for (let i = 0; i < count; i++) marks.take();
        marks.end();
      }
    },
  },
  {
    name: "a.compared",
    async write(path) {
      await using writer = await PairWriter.open(path, 24);
      for (let i = 0; i < 7; i++) {
        writer.add(i, i + 1 + rng.below(5));
        await writer.settle();
      }
      await writer.finish();
    },
    read: async (path) => all(mergePairs(await pairRunsOf(path), 2)),
  },
  {
    name: "a.measures",
    removed: "a.jsonl",
    async write(path) {
      await using meter = await SampleMeter.open(lengths, path);
      for (const text of ["one", "two", "a third"]) await meter.add(new CleanDocument(text));
      await meter.finish();
    },
    async read(path) {
      const measures = await WrittenMeasures.open(path);
      while (measures.left > 0) measures.take();
    },
  },
  {
    name: "a.jsonl",
    async write(path) {
      const lines = Buffer.concat(["one", "zwölf"].map((text) => documentLine(new CleanDocument(text, { id: text }))));
      documentsChecksum = Checksum.of(lines);
      await writeFile(path, lines);
    },
    read: (path) => all(readDocumentLines(path, documentsChecksum)),
  },
  ...["a.report.json", "a.clusters.json"].map((name) => ({
    name,
    removed: name === "a.report.json" ? "a.jsonl" : "a.marks",
    write: (path: string) => writeCheckedJson(path, { counts: [1, 2], of: "zwölf" }),
    read: readTaskJson,
  })),
];

test.each(kinds.map((kind) => [kind.name, kind] as const))(
  "any byte of %s that is changed is told",
  async (name, { removed, write, read }) => {
    await withFolder(async (folder) => {
      const path = join(folder, name);
      await write(path);
      await read(path);
      const bytes = await readFile(path);
      const last = removed === undefined ? "it" : join(folder, removed);
      for (let at = 0; at < bytes.length; at += 1 + rng.below(4)) {
        const changed = Uint8Array.from(bytes);
        changed[at]! ^= 1 << rng.below(8);
        await writeFile(path, changed);
        await expect(read(path), `byte ${at} of ${bytes.length}`).rejects.toThrow(
          new RegExp(`^\\[data\\] ${path}.*: remove ${last}, and run the command again, which makes it anew$`),
        );
      }
    });
  },
);

test("a message has both checksums, and JSON is read as it was written", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "a.json");
    await writeCheckedJson(path, { a: ["b", 1.5, null] });
    expect(await readCheckedJson(path, "files", "write it again")).toEqual({ a: ["b", 1.5, null] });
    const text = await readFile(path, "utf8");
    expect(JSON.parse(text)).toEqual({ crc32: expect.stringMatching(/^[0-9a-f]{8}$/), content: { a: ["b", 1.5, null] } });
    await writeFile(path, text.replace("1.5", "2.5"));
    await expect(readCheckedJson(path, "files", "write it again")).rejects.toThrow(
      /a\.json: its bytes have the CRC-32 [0-9a-f]{8}, but were written with [0-9a-f]{8}: write it again$/,
    );
  });
});
