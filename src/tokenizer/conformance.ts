// What tests share: texts that tokenizers get wrong, and the slow meaning of training and merging that the fast ones are held against.
import type { Rng } from "../base/index.ts";

/** Text of many kinds; no lone surrogates and no ▁, which some formats cannot tell from a space. */
export const variedTexts: readonly string[] = [
  "",
  " ",
  "  ",
  "\n",
  "a",
  "Hello, world!",
  " leading",
  "trailing ",
  "  two  spaces  everywhere  ",
  "tabs\tand\t\ttabs \t mixed",
  "line\nline\r\nline\n\n\nline \n  indented",
  "I'm you're he'll they've it's I'd don't WE'LL I'M 'tis ''s",
  "1 12 123 1234 12345 3.14159 1,000,000 2024-01-31",
  "½ Ⅷ ٣٤٥ १२३ １２３ ²",
  "for (let i = 0; i < n; i++) {\n\tconst x = a[i]?.b ?? 1e-9; // done\n}\n",
  "def f(x):\n    return {'a': x**2}\n",
  "snake_case camelCase SCREAMING-KEBAB http://example.org/?q=1&r=%20#top",
  "naïve café Ångström Straße ﬁne e\u0301 n\u0303",
  "Привет, мир! Съешь ещё этих мягких французских булок.",
  "日本語の文章です。カタカナとひらがな、漢字。 ー",
  "안녕하세요 세계 你好，世界！ สวัสดีชาวโลก שלום עולם مرحبا بالعالم",
  "नमस्ते दुनिया தமிழ் ქართული Ελληνικά",
  "🦙 👩‍👩‍👧‍👦 🇵🇪 👍🏽 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𐍈 𝟙𝟚𝟛 𓀀",
  "\u0000 \u0001 \u007f \u0085 \u00a0 \u2028 \u3000 \ufeff \ufffd \u200b",
  "<s> </s> <unk> <0x0A> <|begin_of_text|> </w>",
  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
  '!!!!!!!! ???....---===*** (a) [b] {c} "quoted" “curly” ‘single’',
  `${" ".repeat(70)}x${"\n".repeat(9)}${"\t".repeat(5)}y`,
];

const letters = ["a", "b", "c", "a", "b", " ", " ", "1", "é", ".", "\n", "'s", "日", "🦙"];

/** A text of `length` letters, drawn from a few that tokenizers get wrong. */
export function randomText(rng: Rng, length: number): string {
  return Array.from({ length }, () => letters[rng.below(letters.length)]!).join("");
}

/** Merges the pair of the lowest rank, leftmost first, looking at everything anew each time: O(n²). */
export function naiveMerge(symbols: readonly string[], rankOf: (left: string, right: string) => number | undefined): string[] {
  const word = [...symbols];
  for (;;) {
    let best: { rank: number; at: number } | undefined;
    for (let at = 0; at + 1 < word.length; at++) {
      const rank = rankOf(word[at]!, word[at + 1]!);
      if (rank !== undefined && (best === undefined || rank < best.rank)) best = { rank, at };
    }
    if (best === undefined) return word;
    word.splice(best.at, 2, word[best.at]! + word[best.at + 1]!);
  }
}

/** Two adjacent symbols. */
export type NaivePair = readonly [left: string, right: string];

/** Rules of a training by the book. */
export interface NaiveTraining {
  readonly mayMerge?: (left: string, right: string) => boolean;
  /** Negative where `a` goes before `b`, which is equally frequent. @default the shorter piece, then the one whose UTF-8 comes first, then the shorter left part */
  readonly byTie?: (a: NaivePair, b: NaivePair) => number;
}

/** Sennrich et al. 2016, algorithm 1: all counts anew for every merge. */
export function naiveTrain(words: ReadonlyMap<readonly string[], number>, merges: number, rules: NaiveTraining = {}): NaivePair[] {
  const { mayMerge = () => true, byTie = byShorterPiece } = rules;
  let current = [...words].map(([symbols, count]) => ({ symbols: [...symbols], count }));
  const found: NaivePair[] = [];
  while (found.length < merges) {
    const counts = new Map<string, { pair: NaivePair; count: number }>();
    for (const { symbols, count } of current) {
      for (let i = 0; i + 1 < symbols.length; i++) {
        const pair: NaivePair = [symbols[i]!, symbols[i + 1]!];
        const entry = counts.get(JSON.stringify(pair)) ?? { pair, count: 0 };
        entry.count += count;
        counts.set(JSON.stringify(pair), entry);
      }
    }
    const allowed = [...counts.values()].filter(({ pair }) => mayMerge(...pair));
    const [best] = allowed.sort((a, b) => b.count - a.count || byTie(a.pair, b.pair));
    if (best === undefined) return found;
    found.push(best.pair);
    current = current.map(({ symbols, count }) => ({ symbols: replacePair(symbols, best.pair), count }));
  }
  return found;
}

function byShorterPiece(a: NaivePair, b: NaivePair): number {
  const [pieceA, pieceB] = [a.join(""), b.join("")];
  return [...pieceA].length - [...pieceB].length || byBytes(pieceA, pieceB) || a[0].length - b[0].length;
}

/** The order of two texts' UTF-8, which is that of their characters. */
function byBytes(a: string, b: string): number {
  const [charsA, charsB] = [[...a], [...b]];
  const at = charsA.findIndex((char, i) => char !== charsB[i]);
  if (at < 0) return charsA.length - charsB.length;
  return (charsA[at]?.codePointAt(0) ?? 0) - (charsB[at]?.codePointAt(0) ?? -1);
}

function replacePair(symbols: readonly string[], [left, right]: NaivePair): string[] {
  const out: string[] = [];
  for (let i = 0; i < symbols.length; i++) {
    const isPair = symbols[i] === left && symbols[i + 1] === right;
    out.push(isPair ? left + right : symbols[i]!);
    if (isPair) i++;
  }
  return out;
}
