import { expect, test } from "vitest";
import { CriaError } from "../base/index.ts";
import { RequestError, requestErrorOf } from "./request-error.ts";

test.each([
  [
    "chat",
    "/home/me/models/tiny.gguf: the chat template default refuses these messages: no",
    "tiny.gguf: the chat template default refuses these messages: no",
  ],
  ["chat", 'it is "../models/a b/tiny/config.json"', 'it is "config.json"'],
  ["load", "C:\\Users\\me\\tiny.gguf is damaged", "tiny.gguf is damaged"],
  ["chat", "either and/or https://example.org/a/b stay", "either and/or https://example.org/a/b stay"],
  [
    "dialogue",
    "response_format: [json-schema] /properties/a/typ: the keyword is not known",
    "response_format: /properties/a/typ: the keyword is not known",
  ],
])("[%s] %s", (where, message, told) => {
  expect(requestErrorOf(new CriaError(where, message)).message).toBe(told);
});

test("the parameter that a message begins with is the error's", () => {
  expect(requestErrorOf(new CriaError("chat", "messages[2].content[0] is 5, but must be a text"))).toMatchObject({
    kind: "invalid",
    param: "messages[2].content[0]",
  });
  expect(requestErrorOf(new CriaError("grammar", "line 1, column 10: no"))).toMatchObject({ param: "grammar" });
  expect(requestErrorOf(new CriaError("infer", "toolsmith is no parameter"))).toMatchObject({ param: undefined });
});

test("a bug is only said to be one, and an error that was made for the client stays as it is", () => {
  const bug = new TypeError("x of undefined at /home/me/cria");
  expect(requestErrorOf(bug)).toMatchObject({
    kind: "internal",
    message: "the server failed: its log says how",
    cause: bug,
    isServersFault: true,
  });
  const made = new RequestError("overloaded", "later", { retryAfter: 3 });
  expect(requestErrorOf(made)).toBe(made);
});
