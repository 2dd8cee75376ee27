import { describe, expect, test } from "vitest";
import { referenceBackend } from "../backend/reference/index.ts";
import { CriaError, fail, Rng } from "../base/index.ts";
import { chooseTarget, openCpuBackend } from "../host/index.ts";
import type { WeightSource } from "../model/index.ts";
import { fakeLogits } from "./fake-runner.test.helper.ts";
import { SequenceModel } from "./index.ts";
import { checkRestored, config, idsOf, parameters, weights } from "./saved-sequence.test.helper.ts";
import { fakeQueue } from "./sequence-queue.test.helper.ts";

const targets: string[] = [];
for (const target of ["wasm", "avx2", "avx512"])
  await chooseTarget(target).then(
    () => targets.push(target),
    (error: Error) => console.log(`${target} is not tested here: ${error.message}`),
  );

describe("a saved sequence", () => {
  const saved = async (length = 100, note?: unknown) => {
    const { queue } = fakeQueue(4);
    using sequence = queue.sequence();
    await sequence.next(idsOf(length));
    return sequence.save(note);
  };

  test("goes on where it was, and nothing is computed again", async () => {
    for (const length of [1, 63, 64, 65, 100, 200]) {
      const bytes = await saved(length, { said: ["a", 1] });
      const { queue, runner } = fakeQueue(4);
      const { sequence, note, restoredTokens, target } = await queue.restore(bytes);
      expect([note, restoredTokens, target]).toEqual([{ said: ["a", 1] }, length, "fake"]);
      expect(sequence.ids).toEqual(idsOf(length));
      expect(await sequence.next([3])).toEqual(fakeLogits([...idsOf(length), 3]));
      expect(runner.rows).toBe(1);
      sequence.dispose();
      using other = queue.sequence(); // texts that begin alike use it
      await other.next([...idsOf(length), 4]);
      expect(other.cachedTokens).toBe(length);
      expect(queue.counts.heldPages).toBe(Math.ceil((length + 1) / 64));
    }
  });

  test("has what pages have of it, whole or not, and so does what comes back", async () => {
    const { queue } = fakeQueue(4);
    using sequence = queue.sequence();
    await sequence.next(idsOf(200));
    await queue.sequence().next(idsOf(250, 3)); // makes it pause, and takes all pages
    const bytes = await sequence.save();
    const other = fakeQueue(2);
    const { sequence: restored, restoredTokens } = await other.queue.restore(await saved(100));
    expect(restoredTokens).toBe(100);
    expect(await other.queue.restore(await saved(60)).then((more) => more.restoredTokens)).toBe(0); // no page is free
    expect(await restored.next([1])).toEqual(fakeLogits([...idsOf(100), 1]));
    const whole = fakeQueue(4);
    const again = await whole.queue.restore(bytes);
    expect(again).toMatchObject({ restoredTokens: 0, note: undefined });
    expect(await again.sequence.next([5])).toEqual(fakeLogits([...idsOf(200), 5]));
  });

  test("says the same whatever its pages had held before, and waits for no one's next token", async () => {
    const { queue } = fakeQueue(4);
    using first = queue.sequence();
    await first.next(idsOf(90));
    first.truncate(70);
    using plain = queue.sequence({ cacheSalt: "another" });
    await plain.next(idsOf(70));
    expect(await first.save()).toEqual(await plain.save());
    const saving = plain.save(7);
    const running = plain.next([1]); // joins behind what is saved
    const { sequence, note } = await queue.restore(await saving);
    expect([sequence.ids, note]).toEqual([idsOf(70), 7]);
    expect(await running).toEqual(fakeLogits([...idsOf(70), 1]));
    await expect(
      queue
        .sequence()
        .save()
        .then((bytes) => queue.restore(bytes)),
    ).resolves.toMatchObject({ restoredTokens: 0 });
  });

  test("is refused where it does not fit, by name", async () => {
    const bytes = await saved();
    const refused = (change: object, options: { contextLength?: number } = {}) => {
      const { queue, runner } = fakeQueue(4, options);
      Object.assign(runner.savedAs, change);
      return expect(queue.restore(bytes, { name: "lily.session" }));
    };
    await refused({ model: "another" }).rejects.toThrow(
      "[infer] lily.session was saved with the model a hash, and this one is another: open the model that it was saved with",
    );
    await refused({ cacheType: "f16" }).rejects.toThrow(
      'lily.session has keys and values of f32, but the model was opened with f16: open it with cacheType "f32"',
    );
    await refused({ pageBytes: 512 }).rejects.toThrow("its pages have 256 bytes and the model's 512");
    await refused({}, { contextLength: 99 }).rejects.toThrow("the text has 100 tokens but the context holds 99");
    const elsewhere = fakeQueue(4);
    elsewhere.runner.savedAs = { ...elsewhere.runner.savedAs, target: "another" };
    const { sequence, restoredTokens, target } = await elsewhere.queue.restore(bytes);
    expect([restoredTokens, target, sequence.ids]).toEqual([0, "fake", idsOf(100)]); // the tokens fit, and are computed again
    const { queue } = fakeQueue(4);
    const newer = bytes.slice();
    newer[8] = 2;
    await expect(queue.restore(newer)).rejects.toThrow(
      "the saved sequence is a saved sequence of version 2, but this program reads version 1",
    );
    for (const other of [new Uint8Array(), new Uint8Array(100), new TextEncoder().encode("criaseq, but a text that is none at all")])
      await expect(queue.restore(other, { name: "x" })).rejects.toThrow(/x is no saved sequence|x is a saved sequence of version/);
    expect(queue.counts.heldPages).toBe(0);
    await queue.dispose();
    await expect(queue.restore(bytes)).rejects.toThrow("the model was disposed of");
  });

  test("that is damaged anywhere is refused, and takes no page", async () => {
    const bytes = await saved(70, { note: "n" });
    const { queue } = fakeQueue(4);
    const rng = new Rng(5);
    const damages: ((all: Uint8Array) => Uint8Array)[] = [
      (all) => all.slice(0, rng.below(all.length)),
      (all) => Uint8Array.of(...all, ...Array.from({ length: 1 + rng.below(9) }, () => rng.below(256))),
      (all) => all.map((byte, i) => (i === at ? byte ^ (1 << rng.below(8)) : byte)),
      (all) => Uint8Array.of(...all.subarray(0, at), ...all.subarray(Math.min(all.length, at + 4))),
      (all) => all.map((byte, i) => (i >= at && i < at + 16 ? rng.below(256) : byte)),
    ];
    let at = 0;
    for (let round = 0; round < 400; round++) {
      at = rng.below(bytes.length);
      const damaged = damages[round % damages.length]!(bytes);
      if (damaged.length === bytes.length && damaged.every((byte, i) => byte === bytes[i])) continue;
      const error = await queue.restore(damaged).catch((thrown: unknown) => thrown);
      expect(error, `damage ${round} at ${at}`).toBeInstanceOf(CriaError);
    }
    for (let bit = 0; bit < 8 * bytes.length; bit += 7) {
      const damaged = bytes.slice();
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      await expect(queue.restore(damaged)).rejects.toThrow(CriaError);
    }
    expect(queue.counts).toMatchObject({ heldPages: 0, keptPages: 0 });
    expect((await queue.restore(bytes)).restoredTokens).toBe(70);
  });
});

const cacheTypes = { reference: "q8_0", wasm: "f16", avx2: "q8_0", avx512: "f32" } as const;

describe.each(["reference", ...targets] as (keyof typeof cacheTypes)[])("on %s", (target) => {
  const openBackend = async () => (target === "reference" ? referenceBackend() : openCpuBackend({ threads: 2, target }));

  test("a text that was saved goes on as the one that was not interrupted, to the bit", async () => {
    await using backend = await openBackend();
    await checkRestored(backend, cacheTypes[target], 12);
  });

  test("a model of other weights or another config is another one, and the same model is the same in any form", async () => {
    await using backend = await openBackend();
    const open = (source: WeightSource, c = config) => SequenceModel.open(backend, c, source);
    await using model = await open(weights);
    using sequence = model.sequence();
    await sequence.next(idsOf(10));
    const bytes = await sequence.save();
    const last = new Map(parameters).set(
      "layers.1.ffn.down",
      (parameters.get("layers.1.ffn.down") ?? fail("test", "no weight")).map((w) => w * 1.01),
    );
    await using trained = await open({ read: async ({ name }) => last.get(name) ?? fail("test", `no parameter ${name}`) });
    await expect(trained.restore(bytes)).rejects.toThrow("was saved with the model");
    await using longer = await open(weights, { ...config, ropeTheta: 5000 });
    await expect(longer.restore(bytes)).rejects.toThrow("was saved with the model");
    await using same = await open({ read: (row) => weights.read(row) });
    expect((await same.restore(bytes)).restoredTokens).toBe(10);
  });
});
