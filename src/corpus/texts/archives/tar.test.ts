// What archives say beside names and sizes that are plain: other programs read the same of them (Python's tarfile on 400 random archives, GNU tar in all its forms).
import { expect, test } from "vitest";
import { tarHeader, tarOf } from "./tar.test.helper.ts";
import { isTar, readTar } from "./tar.ts";

const end = Buffer.alloc(1024);
const block = (text: string) => Buffer.from(text.padEnd(512, "\0"));

async function read(...parts: readonly Uint8Array[]) {
  const found: Record<string, string> = {};
  const notes: string[] = [];
  const chunks = async function* () {
    yield Buffer.concat(parts);
  };
  for await (const { name, bytes } of readTar(chunks(), "a.tar", "data", (kind, what, member) =>
    notes.push(`${kind}: ${what}: ${member}`),
  )) {
    found[name] = "";
    for await (const chunk of bytes) found[name] += Buffer.from(chunk).toString();
  }
  return { found, notes };
}

/** A header of another type, or without ustar's mark; its sum is made anew. */
function header(name: string, size: number, type: string, mark = "ustar\x0000"): Buffer {
  const bytes = tarHeader(name, size);
  bytes.write(type, 156);
  bytes.fill(0, 257, 265).write(mark, 257);
  bytes.write("        ", 148);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return bytes;
}

test("no bytes stand behind links, folders and pipes, whatever size they say", async () => {
  const links = [..."123456"].flatMap((type) => [header(`${type}.txt`, 512, type), tarHeader(`behind-${type}.txt`, 1), block(type)]);
  const { found } = await read(...links, end);
  expect(found).toEqual(Object.fromEntries([..."123456"].map((type) => [`behind-${type}.txt`, type])));
});

test("records of extended headers end where they say, and global ones add up", async () => {
  const record = (text: string) => `${text.length + 3} ${text}`;
  const own = record("comment=a\n20 path=evil.txt\n") + record("path=two\nlines.txt\n");
  const parts = [
    header("g", 17, "g"),
    block(record("b.path=other1\n")),
    header("x", own.length, "x"),
    block(own),
    tarHeader("short.txt", 1),
  ];
  const { found, notes } = await read(...parts, block("a"), header("x", 5, "x"), block("99 a="), tarHeader("b.txt", 1), block("b"), end);
  expect(found).toEqual({ "two\nlines.txt": "a", "b.txt": "b" });
  expect(notes).toEqual(["damaged: extended header that is no list of records: byte 4096"]);
});

test("archives of Unix version 7 are known by their header's sum", async () => {
  const old = [header("a.txt", 1, "\0", ""), block("a"), end];
  expect(isTar(Buffer.concat(old).subarray(0, 512))).toBe(true);
  expect((await read(...old)).found).toEqual({ "a.txt": "a" });
  expect([end, block("text"), Buffer.alloc(512, " ")].map((head) => isTar(head.subarray(0, 512)))).toEqual([false, false, false]);
});

test("maps of sparse files and lists of folders are passed over; a header that is cut short is told", async () => {
  const sparse = header("s.txt", 512, "S");
  sparse[482] = 1;
  sparse.write(`${(Number.parseInt(sparse.toString("latin1", 148, 154), 8) + 1).toString(8).padStart(6, "0")}`, 148);
  const map = Buffer.alloc(512);
  const parts = [sparse, map, block("x"), header("d/", 3, "D"), block("Ya\0")];
  const { found, notes } = await read(...parts, tarOf({ "a.txt": "a" }).subarray(0, 1024), tarHeader("b.txt", 1).subarray(0, 300));
  expect(found).toEqual({ "a.txt": "a" });
  expect(notes).toEqual(["left out: sparse file: s.txt", "left out: list of a folder: d/", "damaged: header that is cut short: byte 3584"]);
});
