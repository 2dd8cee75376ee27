// Random messages by the grammars of dialogues, and their judge: ajv, and the same text cut elsewhere.
import Ajv from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { expect } from "vitest";
import { CriaError, Rng } from "../dist/base/index.js";
import { dialogueFor, factsOf } from "../dist/dialogue/index.js";
import { templates } from "../dist/dialogue/templates.test.helper.js";
import { randomSchema } from "./json-schema.helper.mjs";

const ajv = new Ajv({ strict: false, multipleOfPrecision: 9, logger: false });
formats.default(ajv);

/** The parts of a text that is cut at places. */
export function partsOf(dialogue, text, cuts = []) {
  const parser = dialogue.parser();
  const parts = [0, ...cuts].flatMap((from, i) => parser.push(text.slice(from, cuts[i] ?? text.length)));
  const { parts: last, finishReason } = parser.end();
  return { parts: [...parts, ...last], finishReason };
}

/** What parts come to: texts by kind, and calls with their arguments. */
export function joined({ parts, finishReason }) {
  const message = { reasoning: "", content: "", calls: [], finishReason };
  for (const part of parts) {
    if (part.type === "call") message.calls.push({ id: part.id, name: part.name, arguments: "" });
    else if (part.type === "arguments") message.calls[part.index].arguments += part.text;
    else message[part.type] += part.text;
  }
  return message;
}

/** Rising places to cut a text at. */
export function randomCuts(rng, length) {
  return Array.from({ length: rng.below(6) }, () => rng.below(length + 1)).sort((a, b) => a - b);
}

/** A tool without a description. */
export function tool(name, parameters) {
  return { type: "function", function: { name, parameters } };
}

/** Schemas of arguments as tools have them, which compile fast. */
const usual = [
  ...[{ type: "string" }, { type: "string", maxLength: 4 }, { enum: ["C", "F", 1, null] }, { type: "boolean" }, { type: "integer" }],
  ...[
    { type: "string", pattern: "^[a-c]+$" },
    { anyOf: [{ type: "string" }, { type: "null" }] },
    { type: "array", items: { type: "boolean" } },
  ],
  ...[
    { type: "object", properties: { x: { type: "integer" }, y: { type: "string" } }, required: ["x"] },
    { type: "string", format: "date" },
    {},
  ],
];

/** One of the schemas that tools usually have. */
export const usualSchema = (rng) => usual[rng.below(usual.length)];

/** Any schema. */
export const anySchema = (rng) => randomSchema(rng, 1);

function randomParameters(rng, schemaOf) {
  const keys = ["a", "b", "cc"].slice(0, rng.below(4));
  const properties = Object.fromEntries(keys.map((key) => [key, schemaOf(rng)]));
  return {
    type: "object",
    properties,
    required: keys.filter(() => rng.below(2) === 0),
    ...(rng.below(2) && { additionalProperties: false }),
  };
}

/** A dialogue with tools whose random parameters are supported. */
function randomDialogue(rng, schemaOf, make) {
  for (;;) {
    const tools = ["get", "get_weather", "a.b-c"].slice(0, 1 + rng.below(3)).map((name) => tool(name, randomParameters(rng, schemaOf)));
    try {
      return { tools, dialogue: make(tools) };
    } catch (error) {
      if (!(error instanceof CriaError)) throw error;
    }
  }
}

const ends = [...'"}],<'].map((char) => char.charCodeAt(0));

/** A text that a grammar allows and that begins with `prefix`, drawn by bytes; undefined where it becomes long. */
export function randomMessage({ machine }, prefix, rng) {
  const bytes = [...new TextEncoder().encode(prefix)];
  let state = bytes.reduce((at, byte) => at && machine.step(at, byte), machine.start());
  const examples = [...new Map(Array.from(machine.automaton.classOf, (kind, byte) => [kind, byte])).values()];
  while (state !== null && bytes.length < 400) {
    const next = [...new Set([...examples, ...ends])].filter((byte) => machine.step(state, byte) !== null);
    if (state.isEnd && (next.length === 0 || rng.below(3) === 0))
      return new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(bytes));
    const closing = next.filter((byte) => ends.includes(byte));
    const among = closing.length > 0 && rng.below(3) > 0 ? closing : next;
    const byte = among[rng.below(among.length)];
    bytes.push(byte);
    state = machine.step(state, byte);
  }
  return undefined;
}

/** Draws messages of one random dialogue, and holds them against each other and against ajv. */
export function judgeDialogue(name, seed, seen, schemaOf = usualSchema) {
  const rng = new Rng(seed);
  const toolChoice = ["auto", "required", { name: "get" }, "none"][seed % 4];
  const parallel = rng.below(3) > 0;
  let ids = 0;
  const make = (tools) => dialogueFor({ template: templates[name], tools, toolChoice, parallel, newId: () => `call${ids++}` });
  const { tools, dialogue } = randomDialogue(rng, schemaOf, make);
  const validators = new Map(tools.map((one) => [one.function.name, ajv.compile(one.function.parameters)]));
  for (const prefix of prefixesOf(name, toolChoice)) {
    const text = randomMessage(dialogue.grammar, prefix, rng);
    if (text === undefined) continue;
    const read = (cuts) => {
      ids = 0;
      return { name, seed, text, ...joined(partsOf(dialogue, text, cuts)) };
    };
    const whole = read([]);
    for (const cuts of [randomCuts(rng, text.length), Array.from(text, (_, i) => i)]) expect(read(cuts)).toEqual(whole);
    for (const call of whole.calls)
      expect({ ...whole, call, isValid: validators.get(call.name)(JSON.parse(call.arguments)) }).toEqual({ ...whole, call, isValid: true });
    const most = toolChoice === "none" ? 0 : parallel ? Number.POSITIVE_INFINITY : 1;
    const least = toolChoice === "none" || toolChoice === "auto" ? 0 : 1;
    const isRight = whole.calls.length >= least && whole.calls.length <= most && (least === 0 || whole.content === "");
    const isNamed = toolChoice.name === undefined || whole.calls.every((call) => call.name === toolChoice.name);
    expect({ ...whole, isRight, isNamed }).toEqual({ ...whole, isRight: true, isNamed: true });
    seen.calls += whole.calls.length;
    seen.texts++;
  }
}

/** Beginnings that lead to what random bytes would rarely find. */
function prefixesOf(name, toolChoice) {
  const thought = { deepseek: "hm</think>", qwen3: "<think>hm</think>\n\n", smollm3: "<think>\nhm\n</think>\n" }[name];
  const plain = name === "deepseek" ? [] : [""];
  const before = [...plain, ...(thought === undefined ? [] : [thought])];
  const { marker = '{"name": "' } = callsOf(name);
  return before.flatMap((text) => [text, ...(toolChoice === "none" ? [] : [text + marker])]);
}

function callsOf(name) {
  return factsOf(templates[name]).calls;
}
