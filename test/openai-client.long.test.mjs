// The client of PyPI, `openai`, against a running server, where a Python has it: CRIA_PYTHON names one, python3 otherwise.
import { execFile, spawnSync } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { serverForAll } from "../dist/serve/serve.test.helper.js";

const python = process.env.CRIA_PYTHON ?? "python3";
const hasClient = spawnSync(python, ["-c", "import openai"]).status === 0;
const server = serverForAll();

test.skipIf(!hasClient)("Python's openai: chat, stream, tools, structured output, responses, embeddings, errors, abort", async () => {
  const script = join(import.meta.dirname, "openai-client.py");
  const { stdout } = await promisify(execFile)(python, [script, `${server().url}/v1`, "tiny"]);
  const found = JSON.parse(stdout);
  expect(found.text.length).toBeGreaterThan(0);
  expect(found.stream).toEqual({ text: found.text, usage: 8 });
  expect(found.calls.arguments.length).toBeGreaterThan(0);
  for (const given of found.calls.arguments) expect(given).toEqual({ city: expect.stringMatching(/^a?b$/) });
  expect(found.calls.next).toMatch(/^(?:stop|length)$/);
  expect(["ab", "b"]).toContain(found.parsed);
  expect(found.response.pieces).toBe(found.response.text);
  expect(found.response.numbers).toEqual(found.response.numbers.map((_, i) => i));
  expect(Math.hypot(...found.embedding)).toBeCloseTo(1, 5);
  expect(found.models).toEqual(["tiny"]);
  expect(found.unknown).toEqual(["NotFoundError", "model_not_found", "model"]);
  expect(found.hot).toEqual(["BadRequestError", null, "temperature"]);
  expect(found.aborted).toBe(3);
  await expect.poll(() => server().server.shelf.list[0].model.counts.heldPages).toBe(0);
});
