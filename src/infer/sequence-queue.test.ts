import { describe, expect, test } from "vitest";
import { pageKeys } from "../graph/index.ts";
import { fakeLogits, fakeState } from "./fake-runner.test.helper.ts";
import { passLimits } from "./programs.ts";
import { fakeQueue, fuzzQueue } from "./sequence-queue.test.helper.ts";

const idsOf = (length: number, seed = 0) => Array.from({ length }, (_, i) => (i * i * 7 + (3 + seed) * i + seed) % 11);
const rowsOf = (passes: readonly { readonly tokens: readonly number[] }[]) => passes.map(({ tokens }) => tokens.length);

describe("a run", () => {
  test("gives what is asked for, and types it", async () => {
    const { queue } = fakeQueue(4);
    const [a, b, c] = [queue.sequence(), queue.sequence(), queue.sequence()];
    const [first, second, third] = await queue.run([
      { sequence: a, ids: idsOf(5) },
      { sequence: b, ids: idsOf(3, 1), logits: "all" },
      { sequence: c, ids: idsOf(70, 2), logits: "none", hidden: { output: 1, rows: "last" } },
    ]);
    expect(first.logits).toEqual(fakeLogits(idsOf(5)));
    expect(first.hidden).toBeUndefined();
    expect(second.logits).toEqual([1, 2, 3].map((length) => fakeLogits(idsOf(3, 1).slice(0, length))));
    expect(third.logits).toBeUndefined();
    expect([...third.hidden]).toEqual([1, fakeState(idsOf(70, 2)) % 4096]);
    expect([first, second, third].map(({ computedRows }) => computedRows)).toEqual([5, 3, 70]);
    expect([a, b, c].map(({ length }) => length)).toEqual([5, 3, 70]);
    expect(await queue.run([])).toEqual([]);
  });

  test("shares passes with those that wait at the same time", async () => {
    const { queue, runner } = fakeQueue(8);
    const decode = async (seed: number) => {
      using sequence = queue.sequence();
      let logits = await sequence.next(idsOf(5, seed));
      for (let i = 0; i < 6; i++) logits = await sequence.next([i]);
      expect(logits).toEqual(fakeLogits(sequence.ids));
    };
    await Promise.all([decode(1), decode(2), decode(3)]);
    expect(rowsOf(runner.passes)).toEqual([15, 3, 3, 3, 3, 3, 3]);
  });

  test("waits for those that handle an event between two tokens", async () => {
    const { queue, runner } = fakeQueue(8);
    const decode = async (seed: number) => {
      using sequence = queue.sequence();
      for (let i = 0; i < 6; i++) {
        await sequence.next([seed]);
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await Promise.all([decode(1), decode(2), decode(3)]);
    expect(rowsOf(runner.passes)).toEqual([3, 3, 3, 3, 3, 3]);
  });

  test("of a long prompt lets others decode between its chunks, and takes whole passes where nobody decodes", async () => {
    const { queue, runner } = fakeQueue(40);
    const decoder = queue.sequence();
    await decoder.next([1]);
    const long = queue.sequence().next(idsOf(1000, 3));
    for (let i = 0; i < 4; i++) await decoder.next([i]);
    await long;
    expect(rowsOf(runner.passes)).toEqual([1, 64, 64, 64, 64, 512, 1000 - 4 * 63 - 512]);
  });

  test("of a long prompt takes as many rows beside those who decode as is said meanwhile", async () => {
    const { queue, runner } = fakeQueue(40);
    const decoder = queue.sequence();
    await decoder.next([1]);
    const long = queue.sequence().next(idsOf(1000, 3));
    for (const rows of [64, 10, 512]) {
      queue.mixedRows = rows;
      await decoder.next([1]);
    }
    await long;
    expect(rowsOf(runner.passes)).toEqual([1, 64, 10, 512, 1000 - 63 - 9 - 511]);
    for (const rows of [0, 1.5, 513])
      expect(() => {
        queue.mixedRows = rows;
      }).toThrow(`[infer] mixedRows is ${rows} but must be an integer from 1 to 512`);
    expect(queue.mixedRows).toBe(512);
  });

  test("divides a pass evenly, and what a short prompt does not need goes to the long ones", async () => {
    const { queue, runner } = fakeQueue(40, { limits: { ...passLimits, rows: 100 } });
    const run = (length: number, seed: number) => queue.sequence().next(idsOf(length, seed));
    await Promise.all([run(300, 1), run(20, 2), run(300, 3)]);
    const shares = runner.passes.map(({ slots }) => [0, 1, 2].map((slot) => slots.filter((one) => one === slot).length));
    expect(shares[0]).toEqual([40, 20, 40]);
    expect(shares[1]).toEqual([50, 50, 0]);
  });

  test("of more sequences than a pass holds serves them one after the other", async () => {
    const { queue, runner } = fakeQueue(20, { limits: { rows: 64, mixedRows: 64, sequences: 2, results: 64 } });
    const served: number[] = [];
    const decode = async (seed: number) => {
      const sequence = queue.sequence();
      for (let i = 0; i < 4; i++) {
        expect(await sequence.next([seed])).toEqual(fakeLogits(sequence.ids));
        served.push(seed);
      }
    };
    await Promise.all([decode(1), decode(2), decode(3)]);
    expect(runner.passes.length).toBe(6);
    expect(Math.max(...[1, 2, 3].map((seed) => served.lastIndexOf(seed)))).toBe(11);
    expect([1, 2, 3].map((seed) => served.slice(0, 6).filter((one) => one === seed).length)).toEqual([2, 2, 2]);
  });

  test("finds what an earlier sequence computed", async () => {
    const { queue, runner } = fakeQueue(8);
    using first = queue.sequence();
    await first.next(idsOf(150));
    first.dispose();
    expect(queue.counts).toMatchObject({ pages: 8, heldPages: 0, keptPages: 3, rows: 150 });
    using second = queue.sequence();
    const [{ logits, computedRows }] = await queue.run([{ sequence: second, ids: [...idsOf(150), 1, 2] }]);
    expect([computedRows, logits]).toEqual([2, fakeLogits([...idsOf(150), 1, 2])]);
    using third = queue.sequence();
    expect((await queue.run([{ sequence: third, ids: idsOf(150) }]))[0].computedRows).toBe(1);
    using fourth = queue.sequence();
    expect((await queue.run([{ sequence: fourth, ids: idsOf(140), logits: "none" }]))[0].computedRows).toBe(0);
    expect(fourth.length).toBe(140);
    expect(runner.rows).toBe(153);
  });

  test("says how many of its tokens pages had, whoever paused meanwhile, and texts of another salt have none", async () => {
    const { queue } = fakeQueue(3);
    const first = queue.sequence({ cacheSalt: "a" });
    await first.next(idsOf(100));
    expect(first.cachedTokens).toBe(0);
    first.dispose();
    expect(queue.counts).toMatchObject({ heldPages: 0, keptPages: 2, freePages: 3 });
    const cached = (cacheSalt?: string) => queue.cachedTokens([...idsOf(100), 3], { cacheSalt });
    expect([cached("a"), cached("b"), cached(), queue.cachedTokens(idsOf(100), { cacheSalt: "a" })]).toEqual([100, 0, 0, 99]);
    expect(queue.counts).toMatchObject({ heldPages: 0, keptPages: 2 });
    using again = queue.sequence({ cacheSalt: "a" });
    await again.next([...idsOf(100), 3]);
    expect([again.cachedTokens, queue.counts.freePages]).toEqual([100, 1]);
    using other = queue.sequence({ cacheSalt: "b" });
    await other.next(idsOf(150)); // takes all pages
    expect(other.cachedTokens).toBe(0);
    await again.next([4]); // is computed again, which makes nothing of it cached
    expect([again.cachedTokens, again.fork().cachedTokens]).toEqual([100, 0]);
  });

  test("goes on from forks and cuts", async () => {
    const { queue, runner } = fakeQueue(9);
    using sequence = queue.sequence();
    await sequence.next(idsOf(100));
    using fork = sequence.fork();
    expect(await fork.next([4])).toEqual(fakeLogits([...idsOf(100), 4]));
    expect(await sequence.next([5])).toEqual(fakeLogits([...idsOf(100), 5]));
    fork.truncate(30);
    expect(await fork.next([6])).toEqual(fakeLogits([...idsOf(30), 6]));
    expect(fork.ids).toEqual([...idsOf(30), 6]);
    expect(rowsOf(runner.passes)).toEqual([100, 1, 1, 1]);
  });
});

describe("a pool that is too small for all", () => {
  test("makes the youngest pause, and everybody finishes with the same logits", async () => {
    const { queue, runner } = fakeQueue(4);
    const ends: number[] = [];
    const decode = async (seed: number) => {
      using sequence = queue.sequence();
      await sequence.next(idsOf(60, seed));
      for (let i = 0; i < 100; i++) expect(await sequence.next([i % 11])).toEqual(fakeLogits(sequence.ids));
      ends.push(seed);
    };
    await Promise.all([decode(1), decode(2), decode(3)]);
    expect(ends).toEqual([1, 2, 3]);
    expect(runner.rows).toBeGreaterThan(3 * 160);
    expect(runner.rows).toBeLessThan(2 * 3 * 160);
    expect(queue.counts.heldPages).toBe(0);
  });

  test("takes the pages of idle sequences, which are computed again when they go on", async () => {
    const { queue } = fakeQueue(3);
    using idle = queue.sequence();
    await idle.next(idsOf(150));
    using other = queue.sequence();
    expect(await other.next(idsOf(150, 1))).toEqual(fakeLogits(idsOf(150, 1)));
    const [{ logits, computedRows }] = await queue.run([{ sequence: idle, ids: [1] }]);
    expect([computedRows, logits]).toEqual([151, fakeLogits([...idsOf(150), 1])]);
  });

  test("refuses one sequence that it cannot hold, with both numbers", async () => {
    const { queue } = fakeQueue(2, { contextLength: 1000 });
    expect(queue.contextLength).toBe(2 * pageKeys);
    using sequence = queue.sequence();
    await expect(sequence.next(idsOf(129))).rejects.toThrow(
      "[infer] the text has 129 tokens but the pool's 2 pages hold 128: shorten it, or open",
    );
    await expect(sequence.next(idsOf(1001))).rejects.toThrow("the text has 1001 tokens but the context holds 1000: shorten it");
    expect(await sequence.next(idsOf(128))).toEqual(fakeLogits(idsOf(128)));
    await expect(sequence.next([1])).rejects.toThrow("the text has 129 tokens");
  });
});

test("rows that RoPE rotates by other tables are computed one after the other, and again with their own", async () => {
  const ropeLengthOf = (position: number) => (position < 100 ? 0 : position + 1);
  const { queue, runner } = fakeQueue(3, { ropeLengthOf });
  using sequence = queue.sequence();
  using other = queue.sequence();
  await queue.run([
    { sequence, ids: idsOf(120) },
    { sequence: other, ids: idsOf(30, 1) },
  ]);
  expect(runner.passes.map(({ ropeLength, tokens }) => [ropeLength, tokens.length])).toEqual([
    [120, 120],
    [0, 30],
  ]);
  await sequence.next([1]);
  await other.next(idsOf(90, 1)); // takes the pages of the first
  runner.passes.length = 0;
  const ropeLengths = [...Array(120).fill(120), 121, 122];
  expect(await sequence.next([2])).toEqual(fakeLogits([...idsOf(120), 1, 2], ropeLengths));
  expect(runner.passes.map(({ ropeLength, tokens }) => [ropeLength, tokens.length])).toEqual([
    [120, 120 - pageKeys], // the first page was kept
    [121, 1],
    [122, 1],
  ]);
});

describe("an end", () => {
  test("by a signal comes between two passes, and the sequences are as before", async () => {
    const { queue, runner } = fakeQueue(40);
    using sequence = queue.sequence();
    await sequence.next(idsOf(10));
    const abort = new AbortController();
    runner.before = () => (runner.passes.length === 3 ? abort.abort(new Error("enough")) : undefined);
    await expect(sequence.next(idsOf(1400, 1), abort.signal)).rejects.toThrow("enough");
    expect(runner.passes.length).toBe(3);
    expect([sequence.length, sequence.ids]).toEqual([10, idsOf(10)]);
    const [{ logits, computedRows }] = await queue.run([{ sequence, ids: idsOf(1400, 1) }]);
    expect(logits).toEqual(fakeLogits([...idsOf(10), ...idsOf(1400, 1)]));
    expect(computedRows).toBeLessThan(1400 - 1000); // what was computed is found again
    await expect(sequence.next([1], AbortSignal.abort(new Error("before")))).rejects.toThrow("before");
  });

  test("by a failure ends the calls of that pass only, and the next run is right", async () => {
    const { queue, runner } = fakeQueue(8);
    using a = queue.sequence();
    using b = queue.sequence();
    await a.next(idsOf(40));
    runner.before = ({ tokens }) => {
      if (tokens.length === 30) throw new Error("out of memory");
    };
    await expect(
      queue.run([
        { sequence: a, ids: idsOf(10) },
        { sequence: b, ids: idsOf(20) },
      ]),
    ).rejects.toThrow("out of memory");
    expect([a.length, b.length]).toEqual([40, 0]);
    runner.before = () => {};
    expect(await a.next([1])).toEqual(fakeLogits([...idsOf(40), 1]));
    expect(await b.next([1])).toEqual(fakeLogits([1]));
  });

  test.each([1000, 100])("by dispose in the middle, of a run of %i rows", async (length) => {
    const { queue, runner } = fakeQueue(40);
    const sequence = queue.sequence();
    runner.before = () => sequence.dispose();
    await expect(sequence.next(idsOf(length))).rejects.toThrow("[infer] the sequence was disposed of while it was run");
    expect(queue.counts.heldPages).toBe(0);
    sequence.dispose();
    await expect(sequence.next([1])).rejects.toThrow("[infer] the sequence was disposed of: make another one");
  });

  test("of the model comes behind what is queued", async () => {
    const { queue, runner } = fakeQueue(8);
    const sequence = queue.sequence();
    const running = sequence.next([1, 2]);
    await queue.dispose();
    await queue.dispose();
    expect(await running).toEqual(fakeLogits([1, 2]));
    expect([runner.disposed, queue.counts.heldPages]).toEqual([true, 0]);
    await expect(sequence.next([1])).rejects.toThrow("[infer] the model was disposed of: open another one");
    expect(() => queue.sequence()).toThrow("the model was disposed of");
    expect(() => sequence.fork()).toThrow("the model was disposed of");
  });
});

test("what cannot be done is said, and changes nothing", async () => {
  const { queue } = fakeQueue(2);
  const [a, b] = [queue.sequence(), queue.sequence()];
  await a.next([1, 2, 3]);
  await expect(a.next([])).rejects.toThrow("[infer] there is no token to go on from: give at least one");
  for (const id of [-1, 11, 0.5, Number.NaN])
    await expect(
      queue.run([
        { sequence: b, ids: [1] },
        { sequence: a, ids: [1, id] },
      ]),
    ).rejects.toThrow(`token ${id} is outside the model's vocabulary of 11`);
  await expect(
    queue.run([
      { sequence: a, ids: [1] },
      { sequence: a, ids: [2] },
    ]),
  ).rejects.toThrow("a sequence stands twice in one run");
  await expect(fakeQueue(1).queue.run([{ sequence: a, ids: [1] }])).rejects.toThrow("the sequence belongs to another model");
  await expect(queue.run([{ sequence: a, ids: [1], hidden: { output: 3, rows: "all" } }])).rejects.toThrow(
    'the output 3 is wanted, but the model has 0 (the embedding) to 2 (the last layer) and "final"',
  );
  await expect(queue.run([{ sequence: a, ids: [1], hidden: { output: "keys.2", rows: "all" } }])).rejects.toThrow(
    'the output keys.2 is wanted, but the model has 0 (the embedding) to 2 (the last layer) and "final", and "queries.0" to "keys.1" of attention',
  );
  for (const length of [-1, 4, 1.5]) expect(() => a.truncate(length)).toThrow(`a sequence of 3 tokens cannot be cut to ${length}`);
  const running = a.next([4]);
  const again = a.next([5]);
  for (const change of [() => a.fork(), () => a.truncate(0)]) expect(change).toThrow("the sequence is being run");
  expect(a.length).toBe(3);
  await expect(again).rejects.toThrow("[infer] the sequence is being run: await that run first");
  await running;
  expect([a.ids, b.ids]).toEqual([[1, 2, 3, 4], []]);
});

test("random calls on many sequences give each what it would have alone", async () => {
  for (let seed = 0; seed < 15; seed++) await fuzzQueue(seed, 60);
});
