import { describe, expect, test } from "vitest";
import { Admission, type Place } from "./admission.ts";

const one = { sequences: 1, pages: 1 };

/** Enters requests by name, whose first letter is the key, and tells which run. */
function hall(limits: ConstructorParameters<typeof Admission>[0]) {
  const admission = new Admission(limits);
  const order: string[] = [];
  const places = new Map<string, Place>();
  const enter = (name: string, need = one) => {
    const place = admission.enter(name.slice(0, 1), need);
    places.set(name, place);
    place.granted.then(() => order.push(name));
  };
  const leave = async (name: string) => {
    places.get(name)?.[Symbol.dispose]();
    await Promise.resolve();
  };
  return { admission, order, enter, leave };
}

describe("admission", () => {
  test("keys take turns, whoever came with more", async () => {
    const { order, enter, leave } = hall({ sequences: 1, pages: 9, queue: 9 });
    for (const name of ["a1", "a2", "a3", "b1", "c1", "b2"]) enter(name);
    for (const name of ["a1", "a2", "b1", "c1", "a3", "b2"]) await leave(name);
    expect(order).toEqual(["a1", "a2", "b1", "c1", "a3", "b2"]);
  });

  test("pages bound what runs, and a large request is not overtaken", async () => {
    const { admission, order, enter, leave } = hall({ sequences: 9, pages: 4, queue: 9 });
    enter("a1", { sequences: 1, pages: 3 });
    enter("b1", { sequences: 1, pages: 3 });
    enter("c1");
    await Promise.resolve();
    expect(order).toEqual(["a1"]);
    expect([admission.running, admission.waiting]).toEqual([1, 2]);
    await leave("a1");
    expect(order).toEqual(["a1", "b1", "c1"]);
  });

  test("one that needs more than there is runs alone", async () => {
    const { order, enter, leave } = hall({ sequences: 2, pages: 4, queue: 9 });
    enter("a1");
    enter("b1", { sequences: 5, pages: 50 });
    await leave("a1");
    enter("c1");
    await Promise.resolve();
    expect(order).toEqual(["a1", "b1"]);
    await leave("b1");
    expect(order).toEqual(["a1", "b1", "c1"]);
  });

  test("a full queue says when to ask again, and those that leave it make room", async () => {
    const { admission, enter, leave } = hall({ sequences: 1, pages: 9, queue: 2 });
    for (const name of ["a1", "a2", "a3"]) enter(name);
    expect(() => enter("a4")).toThrow(expect.objectContaining({ kind: "overloaded", retryAfter: expect.toSatisfy((s) => s >= 1) }));
    await leave("a3");
    await leave("a3");
    enter("b1");
    expect([admission.running, admission.waiting]).toEqual([1, 2]);
  });

  test("without a queue only what has room runs", () => {
    const { enter } = hall({ sequences: 1, pages: 9, queue: 0 });
    enter("a1");
    expect(() => enter("a2")).toThrow("0 requests wait already");
  });
});
