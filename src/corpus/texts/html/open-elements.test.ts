import { expect, test } from "vitest";
import { OpenElements } from "./open-elements.ts";

/** Ends as many elements as are named. @returns those that ended, which is how many were looked at */
function ended(open: OpenElements, names: readonly string[]): number {
  let sum = 0;
  for (const name of names) open.leave(name, () => sum++);
  return sum;
}

test("an end tag looks only at what it ends, however much is open", () => {
  const open = new OpenElements();
  for (let i = 0; i < 10_000; i++) open.enter("div");
  expect(ended(open, Array<string>(10_000).fill("section"))).toBe(0);
  expect(ended(open, ["div", "div"])).toBe(2);
  open.enter("article");
  for (let i = 0; i < 5; i++) open.enter("p");
  expect(ended(open, ["article"])).toBe(6);
  expect(open.depth).toBe(9_998);
});

test("what is in a menu is no text of the page until the menu or an element around it ends, and it is not told of", () => {
  const open = new OpenElements();
  open.enter("div");
  open.enter("nav");
  open.enter("ul");
  expect(open.isLeft).toBe(true);
  expect(ended(open, ["div"])).toBe(1);
  expect([open.isLeft, open.depth, open.count("nav")]).toEqual([false, 0, 0]);
});

test("a search for an open element ends at those that stop it", () => {
  const open = new OpenElements();
  for (const name of ["ul", "li", "table", "td"]) open.enter(name);
  expect(open.isInside("li", new Set(["table"]))).toBe(false);
  expect(open.isInside("li", new Set(["ul"]))).toBe(true);
  expect(open.isInside("td", new Set(["td"]))).toBe(true);
});
