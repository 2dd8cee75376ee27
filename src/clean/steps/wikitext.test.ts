// Wikitext beside PyPI's mwparserfromhell (test/goldens/make_wikitext.py), with planted words of which it is known whether they are text, and mutated.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Rng } from "../../base/index.ts";
import { CleanDocument, type Facts, isDropped, openStages } from "../index.ts";

const path = join(import.meta.dirname, "../../../test/goldens/wikitext.golden.json");
const golden = JSON.parse(readFileSync(path, "utf8")) as readonly { readonly text: string; readonly words: readonly string[] }[];

async function stripper(parameters: unknown = {}): Promise<(text: string, facts?: Facts) => string> {
  const [stage] = await openStages([{ wikitext: parameters }]);
  return (text, facts) => {
    const outcome = stage?.chain.apply(new CleanDocument(text, facts)).outcome;
    return outcome === undefined || isDropped(outcome) ? "" : outcome.text;
  };
}

test("the same characters as mwparserfromhell leaves, white space aside", async () => {
  const strip = await stripper({ keepEmptySections: true });
  expect(golden.length).toBeGreaterThan(80);
  for (const { text, words } of golden) expect(strip(text).replace(/\s+/g, ""), text).toBe(words.join(""));
});

test.each([
  ["[[File:a.jpg|thumb|A [[b]] {{c}}|d]]e", "e"],
  ["[[Foo (bar)|]], [[Talk:Page|]]", "Foo, Page"],
  ["a {{lang|la|bonum}} b", "a bonum b"],
  ["a ({{IPA|x}}) b", "a b"],
  ["{{a|{{b}}}} {{c\n|d=[[e]]\n}}f", "f"],
  ["{{unclosed [[x|y]]", "{{unclosed y"],
  ["closed}} x]] |} y", "closed}} x]] |} y"],
  ["a <!-- never closed", "a"],
  ["a<ref>b</ref>c<ref name=x />d<REF >e</Ref>", "acd"],
  ["a<br>b<br />c", "a\nb\nc"],
  ["== A ==\n=== B ===\ntext\n== C ==\n\n=== D ===\n", "A\nB\ntext"],
  ["'''''a''''' b''''c'' d'e", "a b'c d'e"],
  ["* a\n*# b\n: c\n----\nd", "a\nb\nc\n\nd"],
  ["__NOTOC__a __init__ b", "a __init__ b"],
  ["{{{{x}}|y}} z", "z"],
  ["[http://a.example [b] c] [https://x.example] [d]", "[b c] [d]"],
  ["&eacute;&#233;&#xe9;&nosuch; R&D", "ééé&nosuch; R&D"],
  ["{| class=x\n| a\n{{b|\n|}\n}}\n|}c", "c"],
])("%j → %j", async (text, wanted) => {
  expect((await stripper())(text)).toBe(wanted);
});

test("parameters: tables, empty sections, tags, templates, prefixes; and the prefixes of the dump", async () => {
  const all = await stripper({
    keepTables: true,
    keepEmptySections: true,
    droppedTags: [],
    templates: { convert: 1 },
    droppedPrefixes: [],
  });
  expect(all('{| class="x"\n! a !! b\n|-\n| style="c" | d\n|}\n== E ==\n<ref>f</ref> {{Convert|5|km}} [[File:g|h]]')).toBe(
    "a\nb\nd\nE\nf 5 h",
  );
  const strip = await stripper();
  expect(strip("a [[Kategoreja:b]]")).toBe("a Kategoreja:b");
  expect(strip("a [[Kategoreja:b]]", { prefixes: "Fails|Kategoreja" })).toBe("a");
});

test("planted words: what is text stays in its order, what is markup goes, however they are nested", async () => {
  const strip = await stripper();
  for (let seed = 1; seed <= 60; seed++) {
    const rng = new Rng(seed);
    const kept: string[] = [];
    let count = 0;
    const make = (isText: boolean, depth: number): string => {
      const word = `w${count++}`;
      const inner = (more: boolean) => (depth === 0 ? "" : make(more, depth - 1));
      if (isText) kept.push(word);
      const forms = [
        () => `${word} ${inner(isText)}`,
        () => `${word} {{gone|${inner(false)}}} ${inner(isText)}`,
        () => `${word} [[target|label ${inner(isText)}]]`,
        () => `${word} [[File:gone.jpg|${inner(false)}]]`,
        () => `${word} <b>${inner(isText)}</b>`,
        () => `'''${word}''' <ref>gone</ref> ${inner(isText)}`,
        () => `${word}\n{|\n| ${inner(false)}\n|}\n${inner(isText)}`,
      ];
      return forms[rng.below(forms.length)]?.() ?? "";
    };
    const text = make(true, 6);
    expect(strip(text).match(/w\d+/g), text).toEqual(kept);
    expect(strip(text)).not.toContain("gone");
  }
});

test("hostile pages take linear time, and 300 mutated ones any text", async () => {
  const strip = await stripper();
  for (const part of [
    "{{",
    "[[",
    "{|\n",
    "}}",
    "<ref>",
    "<ref",
    "[http://",
    "{{{",
    "'''",
    "[[a|",
    "|}\n",
    "<!--",
    "== a ==\n",
    "(",
    "__",
    "&amp",
    "{{a|[[b|",
  ])
    expect(strip(part.repeat(20_000)).length).toBeLessThan(2_000_000);
  const blank = " ".repeat(50_000);
  expect(strip(`a\n=${blank}b`)).toBe("a\n= b");
  expect(strip(`(${blank}a`)).toBe("( a");
  expect(strip(`[[a${blank}b|]]`)).toBe("a b");
  const stripTable = await stripper({ keepTables: true });
  const table = (cell: string) => stripTable(`{|\n|-\n| ${cell}\n|}`);
  expect(table(`${"a=".repeat(50)} b`)).toBe(`${"a=".repeat(50)} b`);
  expect(table(`a${"\n".repeat(50_000)}! b`)).toBe("a\nb");
  const rng = new Rng(3);
  for (let round = 0; round < 300; round++) {
    const characters = [...(golden[rng.below(golden.length)]?.text ?? "")];
    for (let i = 0; i < 6; i++) characters[rng.below(characters.length)] = "{}[]|<>'\n=!-&"[rng.below(13)] ?? "";
    expect(strip(characters.join(""))).toBeTypeOf("string");
  }
});
