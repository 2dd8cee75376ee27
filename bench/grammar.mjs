// What does a token mask cost? `node bench/grammar.mjs`: schemas and a grammar are compiled, instances of them are walked through token by token, and
// each mask is found anew ("cold", a grammar that was just compiled) and again ("warm", as in every later text). The vocabulary is GPT-2's first 49,152
// tokens, from the data folder beside the checkout.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gbnfGrammar, jsonSchemaGrammar, TokenMasks } from "../dist/grammar/index.js";
import { createTries } from "../dist/grammar/token-trie.js";
import { openAnyTokenizer } from "../dist/load/index.js";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const vocabSize = 49_152;
const rounds = 20;

const person = {
  type: "object",
  properties: {
    name: { type: "string", minLength: 1, maxLength: 80 },
    age: { type: "integer", minimum: 0, maximum: 150 },
    email: { type: "string", format: "email" },
    born: { type: "string", format: "date" },
    tags: { type: "array", items: { type: "string" }, maxItems: 10 },
    address: {
      type: "object",
      properties: {
        street: { type: "string" },
        city: { type: "string" },
        zip: { type: "string", pattern: "^\\d{5}$" },
        country: { enum: ["DE", "FR", "GB", "US"] },
      },
      required: ["street", "city"],
      additionalProperties: false,
    },
  },
  required: ["name", "age", "tags"],
  additionalProperties: false,
};
const ada = {
  name: "Ada Lovelace",
  age: 36,
  email: "ada@example.org",
  born: "1815-12-10",
  tags: ["mathematics", "analytical engine", "poetical science"],
  address: { street: "12 St James's Square", city: "London", country: "GB" },
};
const call = {
  anyOf: ["get_weather", "search_documents", "send_message"].map((name) => ({
    type: "object",
    properties: {
      name: { const: name },
      arguments: {
        type: "object",
        properties: {
          query: { type: "string" },
          limit: { type: "integer", minimum: 1, maximum: 100 },
          options: { type: "object", additionalProperties: { type: ["string", "number", "boolean"] } },
        },
        required: ["query"],
      },
    },
    required: ["name", "arguments"],
    additionalProperties: false,
  })),
};
const tree = {
  $ref: "#/$defs/node",
  $defs: {
    node: {
      type: "object",
      properties: {
        title: { type: "string" },
        size: { type: "number", minimum: 0 },
        children: { type: "array", items: { $ref: "#/$defs/node" } },
      },
      required: ["title", "children"],
      additionalProperties: false,
    },
  },
};
const json = `root ::= value
value ::= "{" (pair ("," " "? pair)*)? "}" | "[" (value ("," " "? value)*)? "]" | string | number | "true" | "false" | "null"
pair ::= string ":" " "? value
string ::= "\\"" ([^"\\\\\\x00-\\x1f] | "\\\\" (["\\\\/bfnrt] | "u" [0-9a-fA-F]{4}))* "\\""
number ::= "-"? ("0" | [1-9] [0-9]{0,15}) ("." [0-9]+)? ([eE] [-+]? [0-9]+)?`;

const leaf = (title, size) => ({ title, size, children: [] });
const cases = [
  ["a person", () => jsonSchemaGrammar(person), ada],
  [
    "a call of a tool",
    () => jsonSchemaGrammar(call),
    {
      name: "search_documents",
      arguments: { query: "how tall is the tower in Paris", limit: 10, options: { language: "en", exact: true } },
    },
  ],
  [
    "a tree",
    () => jsonSchemaGrammar(tree),
    { title: "root of all", size: 3.5, children: [leaf("first child", 1), { ...leaf("second", 2.25), children: [leaf("grandchild", 0)] }] },
  ],
  ["any JSON, in GBNF", () => gbnfGrammar(json), ada],
];

export async function run() {
  const path = [process.env.CRIA_DATA, join(root, "../shared/data")]
    .map((folder) => folder && join(folder, "conformance/llama.cpp/ggml-vocab-gpt-2.gguf"))
    .find((file) => file && existsSync(file));
  if (path === undefined) return console.log("no vocabulary of GPT-2 in the data folder beside the checkout");
  const tokenizer = await openAnyTokenizer(path);
  const specials = new Set(tokenizer.model.specials);
  const tokens = Array.from({ length: vocabSize }, (_, id) => (specials.has(id) ? undefined : tokenizer.pieceBytes(id)));
  const started = performance.now();
  const trie = createTries(tokens);
  console.log(`tree of ${vocabSize} tokens: ${trie.all.nodes} nodes, ${(performance.now() - started).toFixed(0)} ms`);
  for (const [name, compile, value] of cases) {
    const ids = tokenizer.encode(JSON.stringify(value).replace(/([,:])"/g, '$1 "'));
    if (ids.some((id) => id >= vocabSize)) throw new Error(`${name}: a token is outside of the vocabulary`);
    measure(
      name,
      compile,
      trie,
      [...ids].map((id) => tokens[id]),
    );
  }
}

function measure(name, compile, trie, pieces) {
  const times = { compile: [], cold: [], warm: [] };
  for (let round = 0; round < rounds; round++) {
    const started = performance.now();
    const grammar = compile();
    times.compile.push(1e3 * (performance.now() - started));
    const masks = new TokenMasks(grammar.machine, trie);
    for (const kind of ["cold", "warm"]) {
      let state = grammar.machine.start();
      for (const bytes of pieces) {
        const before = performance.now();
        masks.of(state);
        times[kind].push(1e3 * (performance.now() - before));
        state = grammar.after(bytes, state);
      }
      if (state?.isEnd !== true) throw new Error(`${name}: its instance is not valid`);
    }
  }
  const shown = Object.entries(times).map(([kind, all]) => {
    const sorted = all.toSorted((a, b) => a - b);
    const mean = all.reduce((sum, time) => sum + time, 0) / all.length;
    const at = (share) => sorted[Math.floor(share * (sorted.length - 1))];
    return kind === "compile"
      ? `compiled in ${(at(0.5) / 1e3).toFixed(1)} ms`
      : `${kind} ${mean.toFixed(1)} µs (median ${at(0.5).toFixed(1)}, p99 ${at(0.99).toFixed(0)})`;
  });
  console.log(`${name}, ${pieces.length} tokens: ${shown.join(", ")}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await run();
