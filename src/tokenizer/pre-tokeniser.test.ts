import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { normaliserOf } from "./normaliser.ts";
import { preTokeniserOf, type SplitBehaviour } from "./pre-tokeniser.ts";

interface Case {
  readonly pattern: string;
  readonly behaviour: string;
  readonly invert: boolean;
  readonly texts: readonly string[];
  readonly pieces: readonly (readonly string[])[];
}

interface Replacement {
  readonly pattern: string;
  readonly to: string;
  readonly texts: readonly string[];
  readonly replaced: readonly string[];
}

const { behaviours, replacements }: { readonly behaviours: readonly Case[]; readonly replacements: readonly Replacement[] } = JSON.parse(
  readFileSync(new URL("../../test/goldens/split-patterns.golden.json", import.meta.url), "utf8"),
);

/** Names of behaviours as Python spells them. */
const names: Readonly<Record<string, SplitBehaviour>> = {
  removed: "removed",
  isolated: "isolated",
  contiguous: "contiguous",
  merged_with_previous: "mergedWithPrevious",
  merged_with_next: "mergedWithNext",
};

test("expressions cut with every behaviour, inverted or not, as tokenizers cuts with them", () => {
  for (const { pattern, behaviour: name, invert, texts, pieces } of behaviours) {
    const behaviour = names[name];
    if (behaviour === undefined) throw new Error(`${name} is no behaviour`);
    const cut = preTokeniserOf([{ type: "expression", source: pattern, behaviour, invert }]);
    texts.forEach((text, i) => {
      const words: string[] = [];
      cut(text, "text", (word) => words.push(word));
      expect({ pattern, name, invert, text, words }).toEqual({ pattern, name, invert, text, words: pieces[i] });
    });
  }
});

test("expressions are replaced as tokenizers replaces them", () => {
  for (const { pattern, to, texts, replaced } of replacements) {
    const normalise = normaliserOf([{ type: "replaceMatches", source: pattern, to }]);
    expect({ pattern, replaced: texts.map((text) => normalise(text, "text")) }).toEqual({ pattern, replaced });
  }
});
