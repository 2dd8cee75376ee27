import { describe, expect, test } from "vitest";
import { CriaError } from "../base/index.ts";
import { type ModelRow, ModelShelf } from "./models.ts";
import type { ServedModel } from "./served-model.ts";

/** A machine with room for so many models, each of which is loaded in its own time. */
function machine(room: number, keepAliveMs = Number.POSITIVE_INFINITY) {
  const events: string[] = [];
  let held = 0;
  const row = (name: string): ModelRow => ({
    name,
    openFiles: () => Promise.reject(new Error("no files are opened here")),
    async load(signal) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      signal.throwIfAborted();
      if (name === "broken") throw new CriaError("safetensors", "/home/me/models/broken: damaged");
      if (held === room) throw new CriaError("cpu", "memory does not suffice");
      held++;
      const model = { contextLength: 8, config: { contextLength: 8 }, dispose: async () => void held-- };
      return model as unknown as ServedModel;
    },
  });
  const onChange = (name: string, what: string) => events.push(`${name} ${what}`);
  return { events, held: () => held, shelf: (...names: string[]) => new ModelShelf(names.map(row), { keepAliveMs, onChange }) };
}

const signal = new AbortController().signal;

describe("a shelf of models", () => {
  test("loads a model once, however many ask for it at the same time", async () => {
    const { events, shelf } = machine(2);
    const models = shelf("a", "b");
    const leases = await Promise.all([1, 2, 3].map(() => models.lease("a", signal)));
    expect(new Set(leases.map(({ model }) => model)).size).toBe(1);
    expect(events).toEqual(["a loaded"]);
    expect(models.list.map(({ name, model }) => [name, model !== undefined])).toEqual([
      ["a", true],
      ["b", false],
    ]);
  });

  test("gives up the model that was idle for longest where memory is short, and never one in use", async () => {
    const { events, shelf } = machine(2);
    const models = shelf("a", "b", "c");
    for (const name of ["a", "b"]) (await models.lease(name, signal))[Symbol.dispose]();
    const used = await models.lease("a", signal);
    await models.lease("c", signal);
    expect(events).toEqual(["a loaded", "b loaded", "b unloaded", "c loaded"]);
    await expect(models.lease("b", signal)).rejects.toMatchObject({
      kind: "unavailable",
      message: expect.stringContaining("could not be loaded"),
    });
    used[Symbol.dispose]();
    used[Symbol.dispose]();
    await models.lease("b", signal);
    expect(events.slice(4)).toEqual(["a unloaded", "b loaded"]);
  });

  test("a file that is damaged takes no other model's memory, and its path is not told", async () => {
    const { events, shelf } = machine(2);
    const models = shelf("a", "broken");
    (await models.lease("a", signal))[Symbol.dispose]();
    const error = await models.lease("broken", signal).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ kind: "unavailable", message: expect.not.stringContaining("/home") });
    expect(events).toEqual(["a loaded"]);
  });

  test("unloads what was idle for long, and loads it again", async () => {
    const { events, held, shelf } = machine(1, 5);
    const models = shelf("a");
    const lease = await models.lease("a", signal);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(held()).toBe(1);
    lease[Symbol.dispose]();
    await expect.poll(held).toBe(0);
    (await models.lease("a", signal))[Symbol.dispose]();
    expect(events).toEqual(["a loaded", "a unloaded", "a loaded"]);
    await models.dispose();
    expect(held()).toBe(0);
  });

  test("a client that leaves while a model loads is not waited for", async () => {
    const { events, shelf } = machine(1);
    const models = shelf("a");
    const leaving = new AbortController();
    const lease = models.lease("a", leaving.signal);
    leaving.abort(new Error("left"));
    await expect(lease).rejects.toThrow("left");
    await expect.poll(() => events).toEqual(["a loaded"]);
  });

  test("names: the only one where none is named, a near one for one that is not there", () => {
    const { shelf } = machine(1);
    expect(shelf("a").nameOf(undefined)).toBe("a");
    expect(() => shelf("a", "b").nameOf(undefined)).toThrow("model is missing: it is one of a, b");
    expect(() => shelf("llama", "b").nameOf("lama")).toThrow('the model "lama" does not exist here, did you mean "llama"?');
    expect(() => shelf("a", "a")).toThrow('two models are called "a"');
    expect(() => shelf().nameOf("a")).toThrow("this server has no model");
  });
});
