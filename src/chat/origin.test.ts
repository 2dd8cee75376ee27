// Origins: every character of a rendered chat says where it came from, whatever the template does with it.
import { expect, test } from "vitest";
import { type Message, parseChatTemplate, type RenderChatOptions, renderChat } from "./index.ts";

/** Segments as `text` of the template, `0:text` of a message, `tools:text`, `variables:text`, `mixed:text`. */
function origins(source: string, messages: readonly Message[], options: RenderChatOptions = {}) {
  return renderChat(parseChatTemplate(source), messages, options).segments.map(({ text, origin }) =>
    origin === undefined ? text : `${origin.from === "message" ? origin.message : origin.from}:${text}`,
  );
}

const messages: readonly Message[] = [
  { role: "user", content: "  Aa<b>, cc " },
  { role: "assistant", content: "x|y" },
];

test.each([
  ["{{ messages[0].content | trim }}!", ["0:Aa<b>, cc", "!"]],
  ["<|{{ messages[0].role }}|>", ["<|user|>"]],
  ["{{ 'q' ~ messages[0].content[2:4] + messages[1]['content'] }}", ["q", "0:Aa", "1:x|y"]],
  ["{{ (messages[0].content|upper)[2:4] }}{{ messages[1].content|length }}", ["0:AA", "3"]],
  ["{{ messages[1].content.split('|') | join('+') }}", ["1:x", "+", "1:y"]],
  ["{{ messages[1].content | replace('|', '<>') }}", ["1:x", "<>", "1:y"]],
  ["{{ messages[1].content | reverse }}{{ messages[1].content | first }}", ["1:y|xx"]],
  ["{{ {messages[1].content: [messages[0].content|trim, 1]} | tojson }}", ['{"', "1:x|y", '": ["', "0:Aa<b>, cc", '", 1]}']],
  ["{{ [messages[1].content] }}", ["['", "1:x|y", "']"]],
  [
    "{% set ns = namespace(s='') %}{% for m in messages %}{% set ns.s = ns.s ~ m.content|trim %}{% endfor %}{{ ns.s }}",
    ["0:Aa<b>, cc", "1:x|y"],
  ],
  ["{% macro m(x) %}[{{ x }}]{% endmacro %}{{ m(messages[1].content) | upper }}", ["[", "1:X|Y", "]"]],
  ["{% set b %}{{ messages[1].content }};{% endset %}{% filter upper %}{{ b }}{% endfilter %}", ["1:X|Y", ";"]],
  ["{{ messages[0].content|trim|safe + messages[1].content }}", ["0:Aa<b>, cc", "1:x|y"]],
  ["{{ messages[1].content|safe + messages[0].content|trim }}", ["1:x|y", "0:Aa&lt;b&gt;, cc"]],
  ["{{ messages | map(attribute='content') | map('trim') | join('/') }}", ["0:Aa<b>, cc", "/", "1:x|y"]],
  ["{{ messages[1].content | indent(2, true) }}{{ messages[1].content | title }}", ["  ", "1:x|yX|y"]],
  ["{% for c in messages[1].content %}{{ c }}.{% endfor %}", ["1:x", ".", "1:|", ".", "1:y", "."]],
  ["{{ messages[1].content * 2 }}", ["1:x|yx|y"]],
  ["{{ ('ΑΣ' ~ messages[1].content)|lower }}", ["ας".replace("ς", "σ"), "1:x|y"]],
])("%s", (source, expected) => {
  const lowered = source.includes("ΑΣ");
  // The last sigma of a word depends on what follows, here a letter of another origin: nobody can say whose it is.
  expect(origins(source, messages)).toEqual(lowered ? ["mixed:ασx|y"] : expected);
});

test("tools, their keys included, variables and arguments are no text of the template", () => {
  const call = { function: { name: "f", arguments: { "<|im_end|>": "v" } } };
  const chat: readonly Message[] = [{ role: "assistant", content: null, tool_calls: [call] }];
  const source = "{{ tools|tojson }}{{ messages[0].tool_calls[0].function.arguments|tojson }}{{ note }}{{ bos_token }}";
  expect(origins(source, chat, { tools: [{ "<s>": 1 }], variables: { note: "</s>" }, specials: { bos_token: "<s>" } })).toEqual([
    ...['[{"', "tools:<s>", '": 1}]{"', "0:<|im_end|>", '": "', "0:v", '"}', "variables:</s>", "<s>"],
  ]);
});

test.each([
  ["{% macro m() %}{% for k in kwargs %}{{ k }};{% endfor %}{% endmacro %}{{ m(**given) }}", ["0:<s>", ";"]],
  ["{{ dict(given)|tojson }}{{ dict(**given) }}", ['{"', "0:<s>", "\": 1}{'", "0:<s>", "': 1}"]],
  ["{{ strftime_now(messages[0].content) }}", ["0:</s>"]],
  ["{{ [1, 2]|tojson(indent=messages[0].content) }}", ["[\n", "0:</s>", "1,\n", "0:</s>", "2\n]"]],
  ["{{ [1, 2]|tojson(separators=(messages[0].content, ':')) }}", ["[1", "0:</s>", "2]"]],
])("what a call is given keeps its origin as names, formats and separators: %s", (source, expected) => {
  const call = { function: { name: "f", arguments: { "<s>": 1 } } };
  const chat: readonly Message[] = [{ role: "assistant", content: "</s>", tool_calls: [call] }];
  expect(origins(`{% set given = messages[0].tool_calls[0].function.arguments %}${source}`, chat)).toEqual(expected);
});

test("what a generation block writes is marked", () => {
  const source = "{% for m in messages %}{% generation %}a{{ m.content|trim }}{% endgeneration %};{% endfor %}";
  expect(renderChat(parseChatTemplate(source), [{ role: "assistant", content: "x" }]).segments).toEqual([
    { text: "a", generated: true },
    { text: "x", origin: { from: "message", message: 0 }, generated: true },
    { text: ";" },
  ]);
});

test("a message that the template leaves out is named", () => {
  const template = parseChatTemplate("{% for m in messages %}{% if m.role == 'user' %}{{ m.content }}{% endif %}{% endfor %}");
  const chat: readonly Message[] = [
    { role: "system", content: "s" },
    { role: "user", content: "u" },
    { role: "assistant", content: " " },
  ];
  expect(renderChat(template, chat).leftOut).toEqual([0]);
});
