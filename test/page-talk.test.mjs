// What the page makes of conversations, tokens and numbers, without a browser.
import { expect, test } from "vitest";
import { digits } from "../page/src/format.ts";
import { branchOf, emptyConversation, exported, imported, say, withoutEmpty } from "../page/src/talk/conversation.ts";
import { endsWhole, shownTexts } from "../page/src/talk/tokens.ts";

const textsOf = (conversation) => branchOf(conversation).map(({ role, text }) => `${role}: ${text}`);
const asked = say(emptyConversation, undefined, { role: "user", text: "a" });
const answered = say(asked, asked.last, { role: "assistant", text: "b" });

test("a conversation comes back from its file, and messages of other programs do, in both of their forms", () => {
  expect(imported(exported(answered))).toEqual(answered);
  const parts = [{ type: "text", text: "a" }];
  const messages = [
    { role: "developer", content: "Be brief." },
    { role: "user", content: parts },
    { role: "assistant", content: "b" },
  ];
  for (const file of [messages, { messages }]) {
    const read = imported(JSON.stringify(file));
    expect([read.system, ...textsOf(read)]).toEqual(["Be brief.", "user: a", "assistant: b"]);
  }
});

test.each([
  ["{", "this file is no JSON"],
  ["null", "this file holds no conversation"],
  ['{"said":[null]}', "said[0] is not what this page writes"],
  ['[{"role":"user","content":[{"type":"image_url"}]}]', "messages[0].content is no text"],
  ['[{"role":"tool","content":"x"}]', 'messages[0].role is "tool"'],
  ['[{"role":"user","content":"x"},{"role":"system","content":"y"}]', "only the first message may be the system's"],
])("%s is refused", (text, problem) => expect(() => imported(text)).toThrow(problem));

test("an answer of which nothing came goes, and an earlier one is there again", () => {
  const begun = say(asked, asked.last, { role: "assistant", text: "" });
  expect(withoutEmpty(begun, begun.last)).toEqual(asked);
  const again = say(answered, asked.last, { role: "assistant", text: "" });
  expect(textsOf(withoutEmpty(again, again.last))).toEqual(["user: a", "assistant: b"]);
  expect(withoutEmpty(answered, answered.last)).toBe(answered);
});

test("numbers have three digits, and as many more as tell them from their neighbours", () => {
  expect([1234.5678, 0.123456, 0.00012345, -2.5, 0].map((value) => digits(value))).toEqual(["1230", "0.123", "1.2e−4", "-2.5", "0"]);
  expect([1280.25, 1280.5, 1280.75].map((value) => digits(value, 0.25))).toEqual(["1280.3", "1280.5", "1280.8"]);
  expect([0.00015, 0.000155].map((value) => digits(value, 5e-6))).toEqual(["1.50e−4", "1.55e−4"]);
});

test("tokens that are parts of characters show as text where a character ends, and no text ends inside of one", () => {
  const tokens = ["a", "bytes:\\xe4\\xbd", "bytes:\\xa0", "好"];
  expect(shownTexts(tokens)).toEqual(["a", "", "你", "好"]);
  expect(tokens.map((_, i) => endsWhole(tokens.slice(0, i + 1)))).toEqual([true, false, true, true]);
});
