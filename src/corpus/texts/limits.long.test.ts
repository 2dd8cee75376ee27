// A decompression bomb of the size that readers take without asking, in an archive.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { tarOf } from "./archives/tar.test.helper.ts";
import { formCalled, type ReadingNote } from "./forms.ts";
import { readTextDocuments } from "./read-file.ts";

const folder = mkdtempSync(join(tmpdir(), "cria-bomb-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("a member of an archive that unfolds too far is told, and the next one is read", async () => {
  const bomb = gzipSync(Buffer.alloc(2 ** 28 + 2 ** 20, "a"));
  const path = join(folder, "file");
  writeFileSync(path, tarOf({ "a.txt.gz": gzipSync("a text"), "b.txt.gz": bomb, "c.txt": "more" }));
  const notes: ReadingNote[] = [];
  const texts = new Set<string>();
  const reading = { where: "data", onNote: (note: ReadingNote) => notes.push(note) };
  for await (const { text } of readTextDocuments({ path, name: "file", form: formCalled("archive") }, {}, reading))
    texts.add(text.slice(0, 6));
  expect([...texts]).toEqual(["a text", "aaaaaa", "more"]);
  expect(notes).toEqual([
    {
      kind: "damaged",
      what: "file that cannot be read in an archive",
      place: expect.stringMatching(/b\.txt\.gz: \d+ packed bytes unfold to/),
    },
  ]);
});
