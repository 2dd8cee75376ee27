import { expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { FreeList } from "./free-list.ts";

const listOf = (bytes: number): FreeList => {
  const list = new FreeList(64);
  list.extend(64 + bytes);
  return list;
};

test("takes the smallest block that is large enough", () => {
  const list = listOf(1024);
  const [a, , c] = [list.take(256)!, list.take(64)!, list.take(128)!, list.take(64)!];
  list.release(a);
  list.release(c);
  expect(list.take(128)).toBe(c);
  expect(list.take(128)).toBe(a);
  expect(list.take(1024)).toBeUndefined();
});

test("freed neighbours grow together, in whatever order they are freed", () => {
  for (const order of [
    [0, 1, 2],
    [2, 1, 0],
    [0, 2, 1],
    [1, 0, 2],
  ]) {
    const list = listOf(192);
    const blocks = [list.take(64)!, list.take(64)!, list.take(64)!];
    for (const i of order) expect(list.release(blocks[i]!)).toBe(true);
    expect(list.take(192)).toBe(64);
  }
});

test("a free block at the end counts when the range is extended", () => {
  const list = listOf(192);
  list.take(128);
  expect(list.endFor(128)).toBe(320);
  list.extend(320);
  expect(list.take(128)).toBe(192);
  expect(list.endFor(64)).toBe(384);
});

test("releases only what is taken, once", () => {
  const list = listOf(128);
  const a = list.take(128)!;
  expect(list.release(a + 64)).toBe(false);
  expect(list.release(a)).toBe(true);
  expect(list.release(a)).toBe(false);
});

test("blocks never overlap, and all of the range comes back, over random use", () => {
  const rng = new Rng(1);
  const list = listOf(64 * 500);
  const taken = new Map<number, number>();
  for (let i = 0; i < 5000; i++) {
    const [victim] = [...taken.keys()].slice(Math.floor(rng.uniform() * taken.size));
    if (victim !== undefined && rng.uniform() < 0.5) {
      expect(list.release(victim)).toBe(true);
      taken.delete(victim);
      continue;
    }
    const bytes = 64 * (1 + Math.floor(rng.uniform() * 40));
    const start = list.take(bytes);
    if (start === undefined) continue;
    for (const [other, length] of taken) expect(start + bytes <= other || other + length <= start).toBe(true);
    taken.set(start, bytes);
    expect(list.used).toBe([...taken.values()].reduce((sum, size) => sum + size, 0));
  }
  for (const start of taken.keys()) list.release(start);
  expect(list.take(64 * 500)).toBe(64);
});
