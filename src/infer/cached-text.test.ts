import { describe, expect, test } from "vitest";
import { Bench, count, fuzzPages } from "./cached-text.test.helper.ts";
import { PageAllocator } from "./page-allocator.ts";

describe("a text", () => {
  test("takes pages as it grows, gives them back when it is cut, and all of them in the end", () => {
    const bench = new Bench(5);
    const text = bench.text(count(130));
    expect(bench.compute(text)).toBe(130);
    expect(text.pages.length).toBe(3);
    text.truncate(65);
    expect([text.length, text.computed, text.pages.length]).toEqual([65, 65, 2]);
    bench.verify(text);
    text.pause();
    expect([text.length, text.computed, bench.pool.held]).toEqual([65, 0, 0]);
    expect(bench.pool.kept).toBe(2);
  });

  test("finds what an earlier one computed, to the token", () => {
    const bench = new Bench(8);
    const first = bench.text(count(150));
    bench.compute(first);
    first.pause();
    for (const [ids, until, expected] of [
      [count(150), 150, 150],
      [count(150), 149, 149],
      [[...count(140), 7, 7, 7], 143, 140],
      [[...count(128), 7], 129, 128],
      [[...count(100), 7, 7], 102, 100],
      [[...count(70), 7, 7], 72, 64], // six keys are not worth a copy
      [count(70), 70, 70], // nothing needs to be written to the page where they are all that is asked for
      [[5, ...count(150)], 151, 0],
    ] as const) {
      const text = bench.text(ids);
      text.reuse(until);
      expect(text.computed, `${ids.length} ids`).toBe(expected);
      bench.compute(text);
      bench.verify(text);
      text.pause();
    }
    expect(bench.pool.held).toBe(0);
  });

  test("shares pages with its forks until one of them writes", () => {
    const bench = new Bench(9);
    const text = bench.text(count(100));
    bench.compute(text);
    const forks = [bench.fork(text), bench.fork(text)];
    expect(bench.pool.held).toBe(2);
    for (const [i, fork] of forks.entries()) {
      fork.append([1000 + i]);
      bench.compute(fork);
    }
    expect(bench.pool.held).toBe(4);
    text.append([5]);
    bench.compute(text); // the last one to see the page need not copy it
    expect(bench.pool.held).toBe(4);
    for (const one of [text, ...forks]) bench.verify(one);
  });

  test("that was computed twice is held once", () => {
    const bench = new Bench(6);
    const texts = [bench.text(count(64)), bench.text(count(64))];
    for (const text of texts) bench.compute(text, 63);
    expect(bench.pool.held).toBe(2);
    for (const text of texts) bench.compute(text, 1);
    expect(bench.pool.held).toBe(1);
  });

  test("in a pool without a free page takes its own last page out of the prefixes to go on", () => {
    const bench = new Bench(2);
    const text = bench.text(count(128));
    bench.compute(text);
    text.truncate(100);
    text.append(count(28, 500));
    expect(bench.compute(text)).toBe(28);
    bench.verify(text);
  });

  test("gets as many rows as there are pages, and the prefix that was not used for longest goes first", () => {
    const bench = new Bench(4);
    for (const first of [0, 1000, 2000]) {
      const text = bench.text(count(64, first));
      bench.compute(text);
      text.pause();
    }
    const used = bench.text(count(64));
    used.reuse(64);
    used.pause();
    const text = bench.text(count(192, 5000));
    expect(bench.compute(text)).toBe(192);
    const again = [0, 1000, 2000].map((first) => {
      const old = bench.text(count(64, first));
      old.reuse(64);
      const { computed } = old;
      old.forget();
      return computed;
    });
    expect(again).toEqual([64, 0, 0]);
    const large = bench.text(count(300, 9000));
    expect(bench.compute(large)).toBe(64);
    expect(bench.compute(large)).toBe(0);
    bench.verify(large);
  });

  test("keeps nothing after a failure but what was kept", () => {
    const bench = new Bench(4);
    const text = bench.text(count(100));
    bench.compute(text, 70);
    text.forget();
    expect([bench.pool.held, bench.pool.kept]).toEqual([0, 1]);
    text.reuse(99);
    expect(text.computed).toBe(64);
  });
});

test("rows that RoPE rotated for another length are other rows", () => {
  const bench = new Bench(4);
  const first = bench.text();
  first.append(count(70), 3);
  bench.compute(first);
  expect([first.idAt(69), first.ropeLengthAt(69), first.ids()]).toEqual([69, 3, count(70)]);
  first.pause();
  for (const [ropeLength, expected] of [
    [3, 70],
    [4, 0],
  ] as const) {
    const text = bench.text();
    text.append(count(70), ropeLength);
    text.reuse(70);
    expect(text.computed).toBe(expected);
    text.forget();
  }
});

test("texts of another salt find nothing, and those of the same salt all of it", () => {
  const bench = new Bench(6);
  for (const salt of ["a", "b"]) {
    const text = bench.text(count(130), salt);
    text.reuse(130);
    expect(text.computed).toBe(0);
    bench.compute(text);
    text.pause();
  }
  expect(bench.pool.kept).toBe(6);
  for (const [salt, expected] of [
    ["a", 130],
    ["b", 130],
    ["", 0],
  ] as const) {
    const text = bench.text(count(130), salt);
    text.reuse(130);
    expect(text.computed, salt).toBe(expected);
    bench.verify(text);
    text.forget();
  }
});

test("a pool of no pages is refused", () => {
  expect(() => new PageAllocator(0)).toThrow("[infer] a pool has 0 pages but must have at least 1");
});

test("random texts never see another's keys, and no page is lost", () => {
  for (let seed = 0; seed < 25; seed++) fuzzPages(seed, 80);
});
