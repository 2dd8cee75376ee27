// Who may ask: keys, origins, hosts, and https.
import { describe, expect, test } from "vitest";
import { cert, key } from "./certificate.test.helper.ts";
import { Security } from "./security.ts";
import { ask, post, serverForAll } from "./serve.test.helper.ts";

const server = serverForAll({
  ...{ names: ["tiny", "other"], tls: { cert: Buffer.from(cert), key: Buffer.from(key) }, logsPrompts: true },
  security: { apiKeys: ["first key", "second"], origins: ["https://app.example"], hosts: ["Box.local"] },
});
const good = { model: "tiny", prompt: "ab ".repeat(60), max_tokens: 1 };
const url = () => `${server().url}/v1/completions`;

test("a key is needed, Bearer or x-api-key, any of several; health needs none", async () => {
  for (const headers of [{}, { authorization: "Bearer third" }, { "x-api-key": "first ke" }, { authorization: "Basic first key" }])
    expect(await post(url(), good, headers as Record<string, string>)).toMatchObject({
      ...{ status: 401, headers: { "www-authenticate": "Bearer", "x-should-retry": "false" } },
      json: { error: { type: "invalid_request_error", code: "invalid_api_key" } },
    });
  for (const headers of [{ authorization: "Bearer first key" }, { authorization: "bearer second" }, { "x-api-key": "second" }])
    expect((await post(url(), good, headers as Record<string, string>)).status).toBe(200);
  expect((await ask(`${server().url}/health`, { method: "GET" })).json).toEqual({ status: "ok" });
  expect((await ask(`${server().url}/metrics`, { method: "GET" })).status).toBe(401);
});

test("what one key has asked is cached for it alone", async () => {
  const cached = async (key: string, prompt: string) =>
    (await post(url(), { ...good, prompt }, { "x-api-key": key })).json.usage.prompt_tokens_details.cached_tokens;
  const prompt = "b a".repeat(70);
  expect(await cached("first key", prompt)).toBe(0);
  expect(await cached("second", prompt)).toBe(0);
  expect(await cached("first key", prompt)).toBeGreaterThan(100);
});

test("an allowed origin may ask after asking whether it may, another one may not", async () => {
  const origin = "https://app.example";
  const preflight = await ask(url(), {
    ...{
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "authorization" },
    },
  });
  expect(preflight).toMatchObject({
    status: 204,
    headers: { "access-control-allow-origin": origin, "access-control-allow-headers": "authorization" },
  });
  const asked = await post(url(), { ...good, stream: true }, { origin, "x-api-key": "second" });
  expect(asked).toMatchObject({ status: 200, headers: { "access-control-allow-origin": origin } });
  const elsewhere = await ask(url(), {
    method: "OPTIONS",
    headers: { origin: "https://other.example", "access-control-request-method": "POST" },
  });
  expect(elsewhere.status).toBe(403);
  expect(elsewhere.headers["access-control-allow-origin"]).toBeUndefined();
});

test("the server is called by its names and by addresses", () => {
  const security = new Security({ apiKeys: [], origins: [], hosts: ["box.local"] });
  for (const host of ["localhost", "LOCALHOST:8080", "127.0.0.1:1", "[::1]:8080", "192.168.1.2", "BOX.local:80"]) security.checkHost(host);
  for (const host of ["evil.example", "localhost.evil.example:8080", "", undefined, "127.0.0.1.evil.example", "[localhost]x"])
    expect(() => security.checkHost(host), host).toThrow("this server is not called");
});

test("https, several models, and prompts in the log where they are asked for", async () => {
  expect(server().url).toMatch(/^https:/);
  const headers = { "x-api-key": "second" };
  const answers = await Promise.all(["tiny", "other"].map((model) => post(url(), { ...good, model, max_tokens: 5, seed: 1 }, headers)));
  expect(answers.map(({ json }) => json.model)).toEqual(["tiny", "other"]);
  expect(answers[1]?.json.choices).toEqual(answers[0]?.json.choices);
  const missing = await post(`${server().url}/tokenize`, { content: "ab" }, headers);
  expect(missing).toMatchObject({
    status: 400,
    json: { error: { param: "model", message: "model is missing: it is one of tiny, other" } },
  });
  expect(server().log.join("\n")).toContain(JSON.stringify(good.prompt));
});

describe("documents", () => {
  const headers = { "x-api-key": "second" };

  test("OpenAPI has a schema for each body, with what is refused and why", async () => {
    const { json } = await ask(`${server().url}/openapi.json`, { method: "GET" });
    expect(json.openapi).toBe("3.1.0");
    const { properties } = json.paths["/v1/chat/completions"].post.requestBody.content["application/json"].schema;
    expect(properties.messages).toMatchObject({ type: "array", minItems: 1 });
    expect(properties.audio).toMatchObject({ deprecated: true, description: expect.stringContaining("read and write text only") });
    expect(json.paths["/v1/models/{id}"].get.parameters).toMatchObject([{ name: "id", in: "path" }]);
    expect(Object.keys(json.paths)).toContain("/tokenize");
  });

  test("metrics count what was asked, and props say what is loaded", async () => {
    await post(url(), { ...good, max_tokens: 5 }, headers);
    const { text, headers: told } = await ask(`${server().url}/metrics`, { method: "GET", headers });
    expect(told["content-type"]).toContain("text/plain");
    expect(text).toMatch(/cria_requests_total\{route="\/v1\/completions",status="200"\} \d+/);
    expect(text).toMatch(/cria_next_token_seconds_count [1-9]/);
    expect(text).toMatch(/cria_pages\{model="tiny"\} [1-9]/);
    const props = await ask(`${server().url}/props`, { method: "GET", headers });
    expect(props.json).toMatchObject({
      models: [{ name: "tiny", isLoaded: true, contextLength: 2048, vocabSize: 265 }, { name: "other" }],
    });
    expect(props.text).not.toContain(server().folder);
  });

  test("texts become ids and come back, and a chat is shown as the model reads it", async () => {
    const { json } = await post(
      `${server().url}/tokenize`,
      { model: "tiny", content: "ab a", add_special: true, with_pieces: true },
      headers,
    );
    expect(json.tokens[0]).toEqual({ id: 1, piece: "<s>" });
    const tokens = json.tokens.map(({ id }: { id: number }) => id);
    expect((await post(`${server().url}/detokenize`, { model: "tiny", tokens }, headers)).json).toEqual({ content: "ab a" });
    const messages = [{ role: "user", content: "ab" }];
    const shown = await post(`${server().url}/apply-template`, { model: "tiny", messages }, headers);
    expect(shown.json.prompt).toBe("<s><|go|>uab<|over|><|go|>a");
    const odd = await post(`${server().url}/detokenize`, { model: "tiny", tokens: [99_999] }, headers);
    expect(odd).toMatchObject({ status: 400, json: { error: { type: "invalid_request_error" } } });
  });
});
