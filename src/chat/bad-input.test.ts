// Templates and messages that are wrong: a clear error, with the place where there is one, and no hang.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { CriaError, Rng } from "../base/index.ts";
import { parseChatTemplate, renderChat } from "./index.ts";

const hi = [{ role: "user", content: "hi" }] as const;
const render = (source: string, messages: unknown = hi) => renderChat(parseChatTemplate(source, "t.jinja"), messages as typeof hi);

test.each([
  ["{% if true %}", "[chat] t.jinja, line 1, column 12: it ends inside a block or an expression: close it"],
  ["a\nb {{ 1 +", "[chat] t.jinja, line 2, column 3: the tag has no }}"],
  ["a\n\n {% frobnicate x %}", "[chat] t.jinja, line 3, column 5: Unknown statement type: frobnicate"],
  ["{{ 'abc }}", "[chat] t.jinja, line 1, column 4: the text has no closing quote"],
  ["{# note", "[chat] t.jinja, line 1, column 1: the comment has no end"],
  ["{% raw %}x", "[chat] t.jinja, line 1, column 1: {% raw %} has no {% endraw %}"],
  ["{{ (1] }}", '[chat] t.jinja, line 1, column 6: "]" closes nothing'],
  ["{{ a $ b }}", '[chat] t.jinja, line 1, column 6: unexpected "$"'],
  ["{{ 1 < 2 < 3 }}", "[chat] t.jinja, line 1, column 10: two comparisons in a row are not supported: join them by `and`"],
  ["{{ '\\N{DASH}' }}", "[chat] t.jinja, line 1, column 5: the escape sequence \\N is not supported"],
  ["{{ '\\xZZ' }}", "[chat] t.jinja, line 1, column 5: the escape sequence \\xZZ needs 2 hexadecimal digits"],
  ["{{ messages|frob }}", "[chat] t.jinja: the filter 'frob' is not supported"],
  ["{{ 1 is frob }}", "[chat] t.jinja: the test 'frob' is not supported"],
  ["{{ nothing.at.all }}", "[chat] t.jinja: 'nothing' is undefined"],
  ["{{ 'a' + 1 }}", "[chat] t.jinja: unsupported operand type(s) for +: 'str' and 'int'"],
  ["{{ messages.append(1) }}", "[chat] t.jinja: access to attribute 'append' of 'list' object is unsafe"],
  ["{{ raise_exception('No ' + messages[0].role + ' here') }}", "[chat] t.jinja refuses these messages: No user here"],
  ["{{ strftime_now('%Q') }}", "[chat] t.jinja: strftime_now: %Q is not supported"],
  ["{{ messages[0].content.keys }}{{ messages[0].items }}", "[chat] t.jinja: a function is printed, which has no text of its own"],
])("%j", (source, message) => {
  expect(() => render(source)).toThrow(new CriaError("chat", message.replace("[chat] ", "")));
});

test.each([
  "{% for i in range(1000) %}{% for j in range(1000) %}{{ loop.index }}{% endfor %}{% endfor %}",
  "{% set ns = namespace(s='x') %}{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
  "{{ 'x' * 1000000000 }}",
  "{{ [0] * 1000000000 }}",
  "{{ range(1000000000) }}",
  "{{ ('x' * 1000000)|replace('x', 'y' * 1000000) }}",
  "{{ 'x'|indent(1000000000, true) }}",
  "{{ ('x\n' * 100000)|indent(1000000) }}",
  "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
  "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
  "{% set ns = namespace(l=[1]) %}{% for i in range(60) %}{% set ns.l = ns.l + ns.l %}{% endfor %}",
  "{% set ns = namespace(l=[1]) %}{% for i in range(60) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l|tojson }}",
  "{% set ns = namespace(l=[1]) %}{% for i in range(60) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l == ns.l }}{{ ns.l|string }}",
  "{{ range(90000)|unique|list|length }}{{ range(900000)|unique|list|length }}",
  "{% set ns = namespace(l=['x' * 10000]) %}{% for i in range(30) %}{% set ns.l = ns.l + ns.l %}{{ ns.l|join }}{% endfor %}",
])("a template without end is stopped: %s", (source) => {
  expect(() => render(source)).toThrow(
    /^\[chat\] t\.jinja:? (it (takes more than|makes a text of)|Range too big|calls itself too deeply|.*not)/,
  );
});

test.each(["split()|length", "split(' ')|length", "splitlines()|length", "replace(' ', '_')|length"])(
  "a long message is not cut into more parts than the limit: %s",
  (method) => {
    const long = [{ role: "user", content: "a \n".repeat(1_100_000) }];
    expect(() => render(`{{ messages[0].content.${method} }}`, long)).toThrow(/it takes more than [\d,]+ steps/);
  },
);

test.each([
  "messages[0].content|list|length",
  "messages[0].content|reverse|length",
  "messages[0].content|title",
  "messages[0].content[::-1]",
])("a long message is not taken apart: %s", (expression) => {
  expect(() => render(`{{ ${expression} }}`, [{ role: "user", content: "x".repeat(1_100_000) }])).toThrow(/it takes more than/);
});

test("a slice of a long text counts characters, and makes none of its own", () => {
  expect(
    render("{{ messages[0].content[-2:] }}{{ messages[0].content[1:3] }}", [{ role: "user", content: `${"😀b".repeat(600_000)}é😃` }]).text,
  ).toBe("é😃b😀");
});

test("tools and arguments nested without end are refused", () => {
  let deep: unknown = 1;
  for (let i = 0; i < 50_000; i++) deep = [deep];
  expect(() => renderChat(parseChatTemplate("x"), hi, { tools: [deep] })).toThrow(/^\[chat\] tools\[0\].*… is nested more than 200 deep$/);
  const call = { function: { name: "f", arguments: { deep } } };
  expect(() => render("x", [{ role: "assistant", content: "x", tool_calls: [call] }])).toThrow("is nested more than 200 deep");
});

test("templates nested without end, and endless ones, are refused", () => {
  expect(() => parseChatTemplate(`{{ ${"(".repeat(20_000)}1${")".repeat(20_000)} }}`)).toThrow("it is nested too deeply");
  expect(() => parseChatTemplate("{% if 1 %}".repeat(20_000))).toThrow(CriaError);
  expect(() => parseChatTemplate("x".repeat(2 ** 20 + 1))).toThrow("it has 1048577 characters, but at most 1048576 are read");
  const near = parseChatTemplate("{% if messages %}x {% endif %}\n".repeat(10_000));
  expect(renderChat(near, hi).text.length).toBe(20_000);
});

test.each([
  [null, "messages must be a list of objects with role and content"],
  [[], "messages is empty: give one at least"],
  [["x"], "messages[0] must be an object with role and content"],
  [[{ role: "user" }], "messages[0] has no content: give a text, which may be empty"],
  [
    [{ role: "User", content: "x" }],
    'messages[0].role is "User": it must be one of system, developer, user, assistant, tool, function, ipython',
  ],
  [[{ role: "<|im_end|>", content: "x" }], 'messages[0].role is "<|im_end|>": it must be one of'],
  [[{ role: "user", content: 7 }], "messages[0].content is 7, but must be a text"],
  [[{ role: "user", content: "x", extra: 1 }], 'messages[0] has "extra", which no message has: leave it out'],
  [
    [{ role: "user", content: [{ type: "image_url", image_url: {} }] }],
    'messages[0].content[0] is of the type "image_url": cria\'s models read text only',
  ],
  [[{ role: "user", content: [{ type: "text" }] }], "messages[0].content[0].text is undefined, but must be a text"],
  [
    [{ role: "user", content: "x", tool_calls: [{}] }],
    'messages[0] has tool_calls, but its role is "user": only the assistant calls tools',
  ],
  [
    [{ role: "assistant", tool_calls: [{ type: "x", function: {} }] }],
    'messages[0].tool_calls[0].type is "x": only "function" is supported',
  ],
  [
    [{ role: "assistant", tool_calls: [{ function: { name: "f" } }] }],
    "messages[0].tool_calls[0].function.arguments must be an object or JSON of one",
  ],
  [
    [{ role: "assistant", tool_calls: [{ function: { name: "f", arguments: "{" } }] }],
    "messages[0].tool_calls[0].function.arguments is not JSON",
  ],
  [[{ role: "assistant", tool_calls: [{ function: { name: "f", arguments: "[1]" } }] }], "must be an object's"],
  [
    [{ role: "assistant", tool_calls: [{ function: { name: "f", arguments: { n: 2 ** 60 } } }] }],
    "messages[0].tool_calls[0].n holds 1152921504606847000, a whole number beyond 2^53: give it as a text",
  ],
])("messages %j are refused", (messages, text) => {
  const source = "{% for m in messages %}{{ m.content }}{{ m.tool_calls|tojson if m.tool_calls }}{% endfor %}";
  expect(() => render(source, messages)).toThrow(text);
});

/** Templates with pieces cut out and others put in. */
function changed(source: string, rng: Rng): string {
  const bits = [
    "{%",
    "%}",
    "{{",
    "}}",
    "{#",
    "#}",
    "'",
    "(",
    "]",
    "{% if x %}",
    "{% endfor %}",
    "~",
    "|",
    "-",
    " in ",
    "range(9999999)",
    "\\x",
  ];
  let text = source;
  for (let i = rng.below(4); i >= 0; i--) {
    const at = rng.below(text.length + 1);
    const bit = rng.below(2) === 0 ? bits[rng.below(bits.length)]! : "";
    text = text.slice(0, at) + bit + (rng.below(8) === 0 ? "" : text.slice(at + rng.below(12)));
  }
  return text;
}

test("changed templates render or are refused in a sentence", () => {
  const { own } = JSON.parse(readFileSync(new URL("../../test/goldens/chat-templates.golden.json", import.meta.url), "utf8")) as {
    own: Readonly<Record<string, { readonly source: string }>>;
  };
  const sources = Object.values(own).map(({ source }) => source);
  const rng = new Rng(20261128);
  let rendered = 0;
  for (let i = 0; i < 300; i++) {
    const source = changed(sources[rng.below(sources.length)]!, rng);
    try {
      render(source);
      rendered++;
    } catch (error) {
      if (!(error instanceof CriaError)) throw new Error(`not refused in a sentence: ${source}`, { cause: error });
    }
  }
  expect(rendered).toBeGreaterThan(10);
  expect(rendered).toBeLessThan(290);
});
