import { expect, test } from "vitest";
import { CriaError } from "./index.ts";

test("what is short stays as it is", () => {
  const message = 'model.safetensors: tensor "a b" is\tmissing: fetch it again\nand "ü🦙" too';
  expect(new CriaError("here", message).message).toBe(`[here] ${message}`);
});

test("a long value is cut in the middle, with its length", () => {
  const { message } = new CriaError("here", `key "${"x".repeat(10_000)}" is wrong: leave it out`);
  expect(message).toMatch(/^\[here\] key "x{164}… \(10,002 characters\) …x{104}" is wrong: leave it out$/);
});

test("a long text with spaces, a long list of lines and a cut character", () => {
  const many = new CriaError("here", `${"a b ".repeat(5000)}: the rule`).message;
  expect(many.length).toBeLessThan(1300);
  expect(many).toMatch(/: the rule$/);
  const list = new CriaError("here", Array.from({ length: 1000 }, (_, i) => `line ${i}`).join("\n")).message.split("\n");
  expect(list).toHaveLength(21);
  expect(list.at(-1)).toBe("… and 980 lines more");
  const llamas = new CriaError("here", `a${"🦙".repeat(500)}`).message;
  expect(Buffer.from(llamas).toString()).toBe(llamas);
});

test("what a terminal would act on is escaped", () => {
  expect(new CriaError("here", "a\x1b[31mb\rc\x07").message).toBe("[here] a\\u001b[31mb\\u000dc\\u0007");
});
