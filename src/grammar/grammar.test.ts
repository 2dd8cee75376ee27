import { expect, test } from "vitest";
import { CriaError, Rng } from "../base/index.ts";
import type { GrammarRules } from "./expression.ts";
import { Grammar, gbnfGrammar } from "./grammar.ts";
import { jsonSchemaGrammar } from "./json-schema/json-schema.ts";
import type { State } from "./machine.ts";
import { naiveAccepts, randomRules, randomText } from "./naive.test.helper.ts";
import { addTo, TokenMasks } from "./token-masks.ts";
import { createTries } from "./token-trie.ts";

function compiled(rules: GrammarRules): Grammar | undefined {
  try {
    return new Grammar(rules, "grammar");
  } catch (error) {
    expect(error).toBeInstanceOf(CriaError);
    return undefined;
  }
}

test("random grammars accept what the naive recogniser accepts, and what begins can end", () => {
  const rng = new Rng(1);
  let [valid, invalid] = [0, 0];
  for (let round = 0; round < 400; round++) {
    const rules = randomRules(rng);
    const grammar = compiled(rules);
    if (grammar === undefined) continue;
    for (let i = 0; i < 12; i++) {
      const text = randomText(rng, 8);
      const expected = naiveAccepts(rules, text);
      expect({ rules, text, accepts: grammar.accepts(text) }).toEqual({ rules, text, accepts: expected });
      if (expected) valid++;
      else invalid++;
    }
    const walked = randomWalk(grammar, rng);
    if (walked !== undefined) expect({ rules, walked, accepts: naiveAccepts(rules, walked) }).toEqual({ rules, walked, accepts: true });
  }
  expect(Math.min(valid, invalid)).toBeGreaterThan(300);
});

/** A text made of random bytes that may come; undefined where it becomes long. A state from which nothing leads on must be an end. */
function randomWalk(grammar: Grammar, rng: Rng): string | undefined {
  const bytes: number[] = [];
  let state: State = grammar.machine.start();
  while (bytes.length < 60) {
    const next = Array.from({ length: 256 }, (_, byte) => [byte, grammar.machine.step(state, byte)] as const).filter(
      ([, to]) => to !== null,
    );
    if (state.isEnd && (next.length === 0 || rng.below(3) === 0))
      return new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(bytes));
    expect(next.length).toBeGreaterThan(0);
    const [byte, to] = next[rng.below(next.length)]!;
    bytes.push(byte);
    state = to!;
  }
  return undefined;
}

/** Every token tried by itself: the slow judge of masks. */
function slowMask(grammar: Grammar, state: State, tokens: readonly (Uint8Array | undefined)[]): number[] {
  return tokens.flatMap((bytes, id) => (bytes !== undefined && grammar.after(bytes, state) !== null ? [id] : []));
}

function bitsOf(masks: TokenMasks, state: State, size: number): number[] {
  const bits = new Uint32Array(Math.ceil(size / 32));
  addTo(bits, masks.of(state));
  return Array.from({ length: size }, (_, id) => id).filter((id) => ((bits[id >>> 5]! >>> (id & 31)) & 1) === 1);
}

test("masks allow the tokens that go on when they are tried one by one", () => {
  const rng = new Rng(2);
  const encoder = new TextEncoder();
  const tokens = [
    undefined,
    ...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)),
    ...Array.from({ length: 400 }, () => {
      const bytes = encoder.encode(randomText(rng, 8));
      return bytes.length === 0 ? undefined : bytes.subarray(0, bytes.length - rng.below(2));
    }),
  ].map((bytes) => (bytes?.length === 0 ? undefined : bytes));
  const trie = createTries(tokens);
  for (let round = 0; round < 200; round++) {
    const grammar = compiled(randomRules(rng));
    if (grammar === undefined) continue;
    const masks = new TokenMasks(grammar.machine, trie);
    let state: State | null = grammar.machine.start();
    for (let i = 0; i < 8 && state !== null; i++) {
      const allowed = bitsOf(masks, state, tokens.length);
      expect(allowed).toEqual(slowMask(grammar, state, tokens));
      if (allowed.length === 0) break;
      state = grammar.after(tokens[allowed[rng.below(allowed.length)]!]!, state);
    }
  }
});

test("masks of wide classes, counted and not, and behind the ends of rules", () => {
  const rng = new Rng(3);
  const texts = [
    '"',
    '",',
    '", "',
    "a",
    "ab",
    "abc",
    "abcdefghij",
    "abcde;x",
    "abcdef;x",
    "abcde;\\",
    "abcdef;\\",
    "ab;",
    'bc"',
    'x", "y',
    "é",
    "😀",
    "\\",
    '\\"',
    "}",
    '"}',
    "0",
    "12",
    ", ",
    "[",
    "]",
  ];
  const tokens = [...texts.map((text) => new TextEncoder().encode(text)), ...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte))];
  const trie = createTries(tokens);
  const sources = [
    'root ::= "[" item ("," " "? item)* "]"\nitem ::= "\\"" ([^"\\\\] | "\\\\" ["\\\\])* "\\""',
    'root ::= item{1,3}\nitem ::= "\\"" [^"]{3,12} "\\"" ", "?',
    'root ::= item item item\nitem ::= "\\"" [^"]{40,90} "\\"" ", "?',
    'root ::= item{2,}\nitem ::= "\\"" ([a-z]{2,4} | [^"]{5,}) "\\"" ", "?',
    "root ::= .{0,7} | [a-z]*",
    'root ::= item ";" item\nitem ::= [^"]{2,5}',
    'root ::= (text "\\"")*\ntext ::= [^"\\\\]*',
  ];
  for (const source of sources) {
    const grammar = gbnfGrammar(source);
    const masks = new TokenMasks(grammar.machine, trie);
    for (let round = 0; round < 8; round++) {
      let state: State | null = grammar.machine.start();
      for (let i = 0; i < 60 && state !== null; i++) {
        const allowed = bitsOf(masks, state, tokens.length);
        expect(allowed).toEqual(slowMask(grammar, state, tokens));
        if (allowed.length === 0) break;
        state = grammar.after(tokens[allowed[rng.below(Math.min(allowed.length, 30))]!]!, state);
      }
    }
  }
});

test("masks of schemas, whose strings hold most of a vocabulary", () => {
  const rng = new Rng(4);
  const letters = ["a", "b", "c", "e", "k", "y", " ", ".", "@", "1", "é", "😀", '"', "\\", ",", ":", "\n"];
  const word = () =>
    new TextEncoder().encode(
      Array.from({ length: 1 + rng.below(5) }, () => letters[rng.below(rng.below(3) === 0 ? letters.length : 7)]).join(""),
    );
  const tokens = [
    ...Array.from({ length: 2500 }, word),
    ...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)),
    new TextEncoder().encode("a".repeat(40)),
  ];
  const tries = createTries(tokens);
  const schemas = [
    {
      type: "object",
      properties: { key: { type: "string" }, kay: { type: "string", maxLength: 6 } },
      additionalProperties: { type: "integer" },
    },
    { type: "array", items: { type: "string", minLength: 2, maxLength: 45 } },
    {
      type: "array",
      items: {
        anyOf: [
          { type: "string", format: "email" },
          { type: "string", pattern: "^[abc ]*$" },
        ],
      },
    },
    true,
  ];
  for (const schema of schemas) {
    const grammar = jsonSchemaGrammar(schema);
    const masks = new TokenMasks(grammar.machine, tries);
    for (let round = 0; round < 6; round++) {
      let state: State | null = grammar.machine.start();
      for (let i = 0; i < 12 && state !== null; i++) {
        const allowed = bitsOf(masks, state, tokens.length);
        expect(allowed).toEqual(slowMask(grammar, state, tokens));
        if (allowed.length === 0) break;
        state = grammar.after(tokens[allowed[rng.below(allowed.length)]!]!, state);
      }
    }
  }
});

test("GBNF as llama.cpp has it", () => {
  const rows: readonly (readonly [source: string, valid: readonly string[], invalid: readonly string[]])[] = [
    ['root ::= "a" # a comment\n', ["a"], ["", "aa"]],
    ['root ::= "a" |\n "b"\n\n# nothing\nother ::= "c"', ["a", "b"], ["c"]],
    ["root ::= ( [0-9]+\n | x ) x?\nx ::= [^a-z\\n]", ["1", "12", "A", "1A"], ["a", "\n", ""]],
    ['root ::= "\\x41\\u00e9\\U0001F600\\t\\"\\\\\\[\\]"', ['Aé😀\t"\\[]'], []],
    ["root ::= .{2} [a-]{1,2} .{3,}", ["éa-xyz", "😀x-yz!"], ["éa", "xxxxxx", "xxa"]],
    ['root ::= "" | "a" root', ["", "aaaa"], ["b"]],
    ['root ::= ""? "b"{0} "c"', ["c"], ["b", "bc"]],
    ['root ::= "(" root ")" | "x"', ["x", "((x))"], ["(x", "x)"]],
    ["root::=[\\]\\[\\\\]\r\n", ["]", "[", "\\"], ["a"]],
  ];
  for (const [source, valid, invalid] of rows) {
    const grammar = gbnfGrammar(source);
    for (const text of valid) expect([source, text, grammar.accepts(text)]).toEqual([source, text, true]);
    for (const text of invalid) expect([source, text, grammar.accepts(text)]).toEqual([source, text, false]);
  }
});

test("what GBNF grammars get wrong is named with its place", () => {
  const rows: readonly (readonly [source: string, problem: string | RegExp])[] = [
    ["", 'no rule "root"'],
    ['roots ::= "a"', 'no rule "root"'],
    ["root ::= item\nitems ::= [a]", 'line 1, column 10: rule "item" is used but not defined, did you mean "items"?'],
    ['root ::= "a"\nroot ::= "b"', 'line 2, column 1: rule "root" is defined a second time'],
    ['root ::= "a', 'line 1, column 10: a " without its second'],
    ["root ::= [a", "line 1, column 10: a [ without its ]"],
    ["root ::= []", "line 1, column 10: an empty class has no character"],
    ["root ::= [b-a]", "line 1, column 11: a range that ends before it begins"],
    ['root ::= ("a"', "line 1, column 10: a ( without its )"],
    ['root ::= "a" )', 'line 1, column 14: ")" stands where the rule\'s line must end'],
    ['root = "a"', 'line 1, column 6: "=" stands where rule "root" must go on with ::='],
    ['root ::= "a"{3,1}', "line 1, column 13: a repetition from 3 to 1 times"],
    ['root ::= "a"{,1}', "line 1, column 13: braces must hold {m}, {m,} or {m,n}"],
    ['root ::= "a"{2001}', "line 1, column 13: more than 2000 repetitions"],
    ['root ::= "\\q"', "line 1, column 11: \\q is no escape"],
    ['root ::= "\\ud800"', "line 1, column 11: d800 is no character"],
    ["root ::= <think>", "line 1, column 10: tokens in a grammar are not supported"],
    [`root ::= ${"(".repeat(300)}"a"${")".repeat(300)}`, "line 1, column 210: groups more than 200 deep"],
    ['root ::= root "a" | "b"', 'rule "root" begins with itself'],
    ['root ::= x | "b"\nx ::= y? z "c"\ny ::= "y"\nz ::= root', /rule "(root|x|z)" begins with itself/],
    ['root ::= "a" root', 'rule "root": no text is valid: what is required has no end'],
    ['root ::= "a" x\nx ::= "b" x\ny ::= x', 'rule "root": no text is valid: what is required has no end'],
    ['root ::= "a" | x\nx ::= "b" x', 'rule "x" has no text'],
    [`root ::= (${'("a"? "b"?){2000} '.repeat(60)}){0,2000}`, /more than 250000 places/],
    ["x".repeat(2 ** 20 + 1), "at most 1048576 are supported"],
  ];
  for (const [source, problem] of rows) expect(() => gbnfGrammar(source), source.slice(0, 100)).toThrow(problem);
});

test("a grammar that is too ambiguous is refused while a text is read, and long texts take bounded memory", () => {
  const twoOrOne = gbnfGrammar(`root ::= (${Array.from({ length: 30 }, (_, i) => `"${"a".repeat(i + 1)}"`).join("|")}){1900,2000} "b"`);
  expect(() => twoOrOne.accepts("a".repeat(4000))).toThrow("more than 20000 places");
  const nested = gbnfGrammar('root ::= "(" root ")" root | "[" root "]" root | ""');
  let state: State | null = nested.machine.start();
  for (let i = 0; i < 20_000 && state !== null; i++)
    state = nested.machine.step(nested.machine.renewed(state), "([)]"[i % 2]!.charCodeAt(0));
  for (let i = 19_999; i >= 0 && state !== null; i--) state = nested.machine.step(state, ")]"[i % 2]!.charCodeAt(0));
  expect(state?.isEnd).toBe(true);
});
