// The bpe study's findings in words, tables and charts.
import type { Section } from "../report.ts";
import type { BpeStep } from "../textbook-bpe.ts";
import type { Head } from "../unfinished.ts";
import { counted, divergedRemark, spread, told } from "../words.ts";
import type { ArithmeticFindings, CutFindings, GrowthFindings, TraceFindings } from "./judge.ts";
import { bothKinds, bytePieces, mergedPieces, questionCount, taskNames, vocabularies } from "./measure.ts";

const sennrich = "Sennrich et al. 2016, arXiv 1508.07909";
const llamaPaper = "Touvron et al. 2023, LLaMA, arXiv 2302.13971, section 2.1";

// ── step by step ──

/** The section about the textbook's algorithm. */
export function tellTrace({ verdict, steps, symbols: before, isSame }: TraceFindings): Section {
  const last = steps.at(-1);
  return {
    title: "The textbook's algorithm, step by step",
    claim: "Split words into characters and a mark of their end; count adjacent pairs; merge the most frequent one; repeat.",
    source: `${sennrich}, section 3.2 and algorithm 1`,
    verdict,
    conclusion:
      last === undefined
        ? `The text has ${before} symbols and nothing to merge.`
        : `${counted(steps.length, "merge")} take${steps.length === 1 ? "s" : ""} the text from ${before} symbols to ${last.symbols}; the trainer makes ${isSame ? "the same merges in the same order" : "OTHER merges"}. ` +
          `The first joins "${steps[0]!.left}" and "${steps[0]!.right}", which stand together ${steps[0]!.count === 1 ? "once" : `${steps[0]!.count} times`}.`,
    remarks: [
      "Counts weigh every word by how often it occurs. Ties go to the shorter result, then to the first in the order of the alphabet, so that the order of the text does not matter.",
    ],
    tables: steps.length === 0 ? [] : [stepTable(steps)],
    charts: [],
  };
}

/** Words of a long text are too many to show. */
const shownWords = 8;

function stepTable(steps: readonly BpeStep[]) {
  const shown = (words: BpeStep["words"]) =>
    words
      .slice(0, shownWords)
      .map((symbols) => symbols.join(" "))
      .join(" · ") + (words.length > shownWords ? " · …" : "");
  return {
    title: "merges in order",
    columns: ["step", "pair", "count", "symbols of the text", "words"],
    rows: steps.map(({ left, right, count, symbols, words }, i) => [i + 1, `${left} + ${right}`, count, symbols, shown(words)]),
  };
}

// ── vocabulary and bytes per token ──

/** The section about larger vocabularies. */
export function tellGrowth({ verdict, rows, gains, cost, isStopped }: GrowthFindings): Section {
  const [first, last] = [rows[0]!, rows.at(-1)!];
  const grown =
    gains.length === 0
      ? `With ${first.size} pieces, a token of held-out text has ${first.perToken["digits alone"].toFixed(2)} bytes`
      : `From ${first.size} to ${last.size} pieces, a token of held-out text grows from ${first.perToken["digits alone"].toFixed(2)} to ${last.perToken["digits alone"].toFixed(2)} bytes; ` +
        `the doublings add ${gains.map((gain) => gain.toFixed(2)).join(", ")}`;
  return {
    title: "What a larger vocabulary buys",
    claim:
      "Every merge shortens the text, the first ones most: bytes per token grow about with the logarithm of the vocabulary, and less and less.",
    source: `${sennrich}, section 3.2; ${llamaPaper}`,
    verdict,
    conclusion:
      `${grown}. Digits alone cost ${(100 * cost).toFixed(2)} % of that at ${last.size} pieces.` +
      (isStopped ? ` (${counted(rows.length, "size")} of ${vocabularies.length}: it was stopped.)` : ""),
    remarks: ["Byte-level BPE, GPT-2's split pattern. What digits alone cost depends on how many numbers the text has."],
    tables: [
      {
        title: "bytes per token of held-out text",
        columns: ["pieces", ...bothKinds],
        rows: rows.map(({ size, perToken }) => [size, perToken["digits alone"], perToken["digits merged"]]),
      },
    ],
    charts: [
      {
        kind: "lines",
        title: "bytes per token by vocabulary",
        x: { label: "pieces (1k = 1024)", scale: "log", ticks: vocabularies },
        y: { label: "bytes per token" },
        series: bothKinds.map((name) => ({
          name,
          as: name === "digits alone" ? ("line" as const) : ("dashed" as const),
          points: rows.map(({ size, perToken }) => ({ x: size, y: perToken[name] })),
        })),
      },
    ],
  };
}

// ── how numbers are cut ──

/** The section about how numbers are cut. */
export function tellCuts({ verdict, cuts }: CutFindings): Section {
  const [alone, merged] = [cuts["digits alone"], cuts["digits merged"]];
  return {
    title: "How numbers are cut",
    claim: "LLaMA splits all numbers into digits, so that every digit has the same place in every number.",
    source: llamaPaper,
    verdict,
    conclusion:
      `With digits merged by frequency, ${merged.patterns} different cuts occur among the numbers 1000 to 9999, and ${(100 * (1 - merged.sameAsNext)).toFixed(0)} % of these n are cut otherwise than n + 1; ` +
      `with digits alone it is one cut for all. The price: ${alone.perNumber.toFixed(2)} tokens per number instead of ${merged.perNumber.toFixed(2)}.`,
    remarks: [`Tokenizers made on sums of numbers below 1000 and on counting below 10,000; ${mergedPieces - bytePieces} merges.`],
    tables: [
      {
        title: "examples",
        columns: ["number", ...bothKinds],
        rows: alone.examples.map(({ number, pieces }, i) => [String(number), pieces.join(" | "), merged.examples[i]!.pieces.join(" | ")]),
      },
    ],
    charts: [],
  };
}

// ── counting and adding ──

/** Claim and source of the section about counting and adding. */
export const arithmeticHead: Head = {
  title: "What it does to counting and adding",
  claim: "Digits alone should make arithmetic easier to learn.",
  source: `${llamaPaper}; Nogueira et al. 2021, arXiv 2102.13019`,
};

/** The section about counting and adding. */
export function tellArithmetic(found: ArithmeticFindings): Section {
  const { answered, gains, seeds } = found;
  const compared = taskNames.map(
    (task) =>
      `${task} ${spread(answered["digits alone"][task], 1)} % against ${spread(answered["digits merged"][task], 1)} %, a gain of ${told(gains[task], 1)} points`,
  );
  return {
    ...arithmeticHead,
    verdict: found.verdict,
    conclusion: `Answered exactly, digits alone against digits merged: ${compared.join("; ")}; ${questionCount} unseen lines of each, ${counted(seeds, "seed")}.`,
    remarks: arithmeticRemarks(found),
    tables: [
      {
        title: "answered exactly, %",
        columns: ["", "adding", "counting", "held-out loss, nats per line"],
        rows: bothKinds.map((digits) => [
          digits,
          ...taskNames.map((task) => spread(answered[digits][task], 1)),
          spread(found.lossPerLine[digits]),
        ]),
      },
    ],
    charts: [answeredChart(found)],
  };
}

function arithmeticRemarks({ steps, tokensPerLine, diverged, isGained, isNothing }: ArithmeticFindings): string[] {
  const perLine = [...tokensPerLine].map(([name, tokens]) => `${tokens.toFixed(1)} tokens per line with ${name}`);
  return [
    `3 layers, 64 channels, ${counted(steps, "step")} of 8 × 64 tokens on lines such as "417+85=502" (numbers below 1000) and "417>418" (below 9999). Merged digits need fewer tokens for a line (${perLine.join(", ")}), so in as many steps they see more lines, ` +
      "and their embedding table is larger: both are to their advantage.",
    "Adding is learnt all at once: where the std is large, some seeds had got there and others had not yet.",
    ...divergedRemark(diverged, "counted as if it answered nothing"),
    ...(isGained || isNothing
      ? []
      : [
          "Whole numbers as tokens can be learnt by heart where there are few of them; the advantage of digits grows with the length of numbers, which are short here.",
        ]),
  ];
}

function answeredChart({ answered }: ArithmeticFindings): Section["charts"][number] {
  return {
    kind: "ranges",
    title: "answered exactly: a dot per seed, a line for their mean",
    x: { label: "%", domain: [0, 100] },
    rows: taskNames.flatMap((task) => bothKinds.map((name) => ({ name: `${task}, ${name}`, values: answered[name][task] }))),
  };
}
