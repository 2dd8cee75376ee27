// What clients get wrong: each is the protocol's own error with the parameter's name, and the server goes on.
import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { ask, contextLength, post, serverForAll } from "./serve.test.helper.ts";

const refusing =
  "{% for m in messages %}{% if m.role == 'ipython' %}{{ raise_exception('no such role here, said ' + m.content) }}{% endif %}<|go|>{{ m.content }}<|over|>{% endfor %}";
const server = serverForAll({ chatTemplate: refusing, limits: { completionTokens: 100, milliseconds: 60_000 } });
const chatUrl = () => `${server().url}/v1/chat/completions`;
const textUrl = () => `${server().url}/v1/completions`;
const messages = [{ role: "user", content: "ab" }];
const good = { model: "tiny", messages, max_tokens: 2 };

/** The server still answers. */
async function goesOn(): Promise<void> {
  expect((await post(chatUrl(), good)).status).toBe(200);
}

test.each([
  [{ ...good, temperature: "hot" }, "temperature", /temperature is wrong: expected number, received string/],
  [{ ...good, temperature: -1 }, "temperature", /temperature is wrong/],
  [{ ...good, temperature: 1e308 }, "temperature", /temperature is wrong/],
  [{ ...good, max_tokens: -5 }, "max_tokens", /max_tokens/],
  [{ ...good, max_tokens: 1e15 }, "max_tokens", /1000000000000000 tokens are asked for, but this server writes at most 100/],
  [{ ...good, max_tokens: 1.5 }, "max_tokens", /max_tokens/],
  [{ ...good, n: 1e9 }, "n", /n is 1000000000, but this server writes at most 8/],
  [{ ...good, top_p: 0 }, "top_p", /top_p/],
  [{ ...good, stop: [""] }, "stop[0]", /stop\[0\]/],
  [{ ...good, logit_bias: { a: 1 } }, "logit_bias.a", /must be the id of a token/],
  [{ ...good, logit_bias: { 99999: 1 } }, "logit_bias", /logit_bias has the token 99999, but this model has 265 tokens/],
  [{ ...good, stream_options: { include_usage: true } }, "stream_options", /stream is not true/],
  [{ ...good, max_completion_tokens: 3 }, "max_tokens", /max_tokens is 2 and max_completion_tokens 3/],
  [{ ...good, reasoning_effort: "high" }, "reasoning_effort", /this model's template knows no such levels/],
  [
    { ...good, tools: [{ type: "function", function: { name: "f", parameters: { type: "object", typ: 1 } } }] },
    "tools",
    /tools: the parameters of f: \/typ: the keyword is not known/,
  ],
  [{ ...good, tool_choice: "required" }, "tool_choice", /there are no tools/],
  [{ ...good, seed: 0.5 }, "seed", /seed/],
  [{ ...good, top_logprobs: 3 }, "top_logprobs", /logprobs is not true/],
  [{ ...good, temprature: 1 }, "temprature", /temprature is not known, did you mean "temperature"\?/],
  [{ ...good, audio: { voice: "x" } }, "audio", /audio is not supported: cria's models read and write text only/],
  [{ ...good, modalities: ["audio"] }, "modalities", /modalities is not supported/],
  [{ ...good, prediction: { type: "content", content: "x" } }, "prediction", /prediction is not supported/],
  [{ model: "tiny" }, "messages", /messages/],
  [{ messages }, "model", /model/],
  [{ ...good, messages: [] }, "messages", /messages/],
  [{ ...good, messages: [{ role: "wizard", content: "x" }] }, "messages[0].role", /messages\[0\].role is "wizard"/],
  [{ ...good, messages: [{ role: "user", content: 5 }] }, "messages[0].content", /messages\[0\].content is 5/],
  [{ ...good, messages: [{ role: "user" }] }, "messages[0]", /messages\[0\] has no content/],
  [
    { ...good, messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "x" } }] }] },
    "messages[0].content[0]",
    /"image_url"/,
  ],
  [{ ...good, messages: [{ role: "ipython", content: "x" }] }, null, /refuses these messages: no such role here/],
  [{ ...good, response_format: { type: "yaml" } }, "response_format.type", /response_format.type/],
  [{ ...good, response_format: schemaFormat({ type: "object", minProperties: 3, maxProperties: 1 }) }, "response_format", /minProperties/],
  [{ ...good, response_format: schemaFormat({ typ: "object" }) }, "response_format", /typ.*did you mean "type"/],
  [{ ...good, grammar: "root ::= x" }, "grammar", /rule "x" is used but not defined/],
  [{ ...good, grammar: 'root ::= "a"', response_format: { type: "json_object" } }, "grammar", /a text keeps to one of them/],
])("a chat with %j is refused", async (body, param, message) => {
  const { status, json, headers } = await post(chatUrl(), body);
  expect(json).toMatchObject({ error: { type: "invalid_request_error", message: expect.stringMatching(message), param } });
  expect(status).toBe(400);
  expect(headers["x-should-retry"]).toBe("false");
  expect(json.error.message).not.toContain(server().folder);
});

function schemaFormat(schema: object): object {
  return { type: "json_schema", json_schema: { name: "x", schema } };
}

test.each([
  [{ model: "tiny", prompt: "ab", suffix: "x" }, /suffix is not supported: texts are only written forwards/],
  [{ model: "tiny", prompt: "ab", best_of: 3 }, /best_of is not supported/],
  [{ model: "tiny", prompt: [1, 5000] }, /the token 5000, but this model has 265 tokens: it is of another vocabulary/],
  [{ model: "tiny", prompt: [-1] }, /prompt/],
  [{ model: "tiny", prompt: [[]] }, /prompt/],
  [{ model: "tiny", prompt: Array(17).fill("a") }, /there are 17 prompts, but a request may have 16/],
  [{ model: "tiny", prompt: "ab ".repeat(contextLength) }, new RegExp(`but the model's context holds ${contextLength}`)],
])("a completion with %j is refused", async (body, message) => {
  const { status, json } = await post(textUrl(), body);
  expect({ status, message: json.error.message }).toEqual({ status: 400, message: expect.stringMatching(message) });
});

describe("what is no request", () => {
  test("bodies: no JSON, no UTF-8, compressed, of another type, too large", async () => {
    const json = { "content-type": "application/json" };
    const cases = [
      [{ headers: json, body: "{" }, 400, "the body is not JSON"],
      [{ headers: json, body: "" }, 400, "the body is not JSON"],
      [{ headers: json, body: "[]" }, 400, "expected object"],
      [{ headers: json, body: Buffer.from([0x22, 0xff, 0x22]) }, 400, "not UTF-8"],
      [{ headers: json, body: `{"a":${"[".repeat(20_000)}` }, 400, "not JSON"],
      [{ headers: { ...json, "content-encoding": "gzip" }, body: "x" }, 415, "compressed"],
      [{ headers: { "content-type": "text/plain" }, body: JSON.stringify(good) }, 415, "must be application/json"],
      [{ headers: {}, body: JSON.stringify(good) }, 415, "missing"],
      [{ headers: { ...json, "content-length": "100000001" }, body: "" }, 413, "more than 100000 bytes"],
      [{ headers: { ...json, "transfer-encoding": "chunked" }, body: "x".repeat(300_000) }, 413, "more than 100000 bytes"],
    ] as const;
    for (const [request, status, message] of cases) {
      const answer = await ask(chatUrl(), request).catch((error: unknown) => error);
      expect(answer, message).toMatchObject({ status, json: { error: { message: expect.stringContaining(message) } } });
    }
    await goesOn();
  });

  test("paths and methods: none, one that leaves the folder, another method", async () => {
    for (const path of ["/", "/v1", "/v1/models/../../etc/passwd", "/v1/models/%2e%2e%2fetc", "/..%5c..%5cetc", "/v1/chat"]) {
      const { status, json } = await ask(`${server().url}${path}`, { method: "GET" });
      expect({ path, status, type: json.error.type }).toEqual({ path, status: 404, type: "invalid_request_error" });
    }
    const wrong = await ask(chatUrl(), { method: "GET" });
    expect(wrong).toMatchObject({ status: 405, headers: { allow: "POST" } });
    await goesOn();
  });

  test("headers: too many bytes, no HTTP, a name that is not the server's, a page elsewhere", async () => {
    const { port } = new URL(server().url);
    expect(await raw(port, `GET /health HTTP/1.1\r\nhost: localhost\r\nx: ${"x".repeat(20_000)}\r\n\r\n`)).toContain("431 ");
    expect(await raw(port, "hello\r\n\r\n")).toContain("400 ");
    const many = "a:b\r\n".repeat(2500);
    const behind = `GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n${many}origin: https://evil.example\r\n\r\n`;
    expect(await raw(port, behind)).toContain("403 ");
    const hosts = await ask(`${server().url}/v1/models`, { method: "GET", headers: { host: "evil.example:80" } });
    expect(hosts).toMatchObject({ status: 403, json: { error: { message: expect.stringContaining('not called "evil.example"') } } });
    const page = await post(chatUrl(), good, { origin: "https://evil.example" });
    expect(page).toMatchObject({ status: 403 });
    expect(page.headers["access-control-allow-origin"]).toBeUndefined();
    await goesOn();
  });

  test("the log has no word of what was asked", async () => {
    await post(chatUrl(), { ...good, messages: [{ role: "user", content: "secretword" }] });
    await post(chatUrl(), { ...good, messages: [{ role: "ipython", content: "secretword" }] });
    await post(chatUrl(), { ...good, messages: [{ role: "secretword", content: "x" }] });
    expect(server().log.join("\n")).not.toContain("secretword");
    expect(server().log.at(-1)).toContain("invalid messages[0].role");
  });
});

/** What the server says to bytes. */
function raw(port: string, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    let said = "";
    const socket = connect(Number(port), "127.0.0.1", () => socket.write(bytes));
    socket.on("data", (chunk) => {
      said += chunk;
    });
    socket.on("close", () => resolve(said));
    socket.on("error", () => resolve(said));
  });
}
