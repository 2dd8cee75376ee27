// The rope study's findings in words, tables and charts.
import type { Chart, LineChart } from "../../plot/index.ts";
import type { Section } from "../report.ts";
import type { Head } from "../unfinished.ts";
import { counted, divergedRemark, spread } from "../words.ts";
import type { DecayFindings, ExtrapolationFindings, InvarianceFindings, MatrixFindings } from "./judge.ts";
import { called, decayWidth, farthest, type Invariance, places, reach, trained, turned, width } from "./measure.ts";

const paper = "Su et al. 2021, RoFormer, arXiv 2104.09864";

// ── the score depends on m − n only ──

/** The section about scores and distances. */
export function tellInvariance({ verdict, found }: InvarianceFindings): Section {
  const [rotary, sinusoidal, learned] = found;
  return {
    title: "The score of a query and a key depends on their distance only",
    claim: "With RoPE, ⟨q_m, k_n⟩ is a function of the contents and of m − n; adding positions to the embedding does not give that.",
    source: `${paper}, section 3.4.1`,
    verdict,
    conclusion:
      `Scores of the same distance differ by at most ${rotary.worst.toExponential(1)} of the largest score with RoPE, which is float32's rounding, ` +
      `but by ${sinusoidal.worst.toFixed(2)} with sinusoids and ${learned.worst.toFixed(2)} with a table.`,
    remarks: [
      `One content at all ${places} positions, projected to queries and keys of ${width} channels by random matrices, by the model's own parts.`,
      "Two sinusoids alone do have a product that depends on their distance only; the projections in between and the cross terms with the content end that.",
    ],
    tables: [
      {
        title: "scores by positions",
        columns: [
          "positions",
          "largest difference at one distance, of the largest score",
          "std within a distance, as a share of the std of all",
        ],
        rows: found.map(({ name, worst, within }) => [called[name], worst, within]),
      },
    ],
    charts: [rotary, sinusoidal, learned].map(heat),
  };
}

/** The number of positions whose scores are drawn. */
const drawn = 48;

function heat({ name, scores }: Invariance): Chart {
  const rows = scores.slice(0, drawn).map((row) => row.slice(0, drawn).map((score) => Number(score.toPrecision(5))));
  return { kind: "heat", title: `${called[name]}: score of query m and key n`, x: "n", y: "m", value: "score", rows };
}

// ── the matrix form ──

/** The section about the rotation matrix. */
export function tellMatrix({ verdict, half, neighbours, worst }: MatrixFindings): Section {
  return {
    title: "The rotation matrix, and what it costs to use it",
    claim: "R_m is block-diagonal and sparse, so it is applied elementwise: x ⊙ cos + rotate(x) ⊙ sin.",
    source: `${paper}, section 3.4.2`,
    verdict,
    conclusion: `Both forms agree to ${worst.toExponential(1)} at positions up to ${turned.at(-1)}, with entries of order 1 and both pairings of channels.`,
    remarks: [
      `The product with the matrix takes d² = ${width ** 2} multiplications for a head of ${width} channels, the elementwise form 2d = ${2 * width}.`,
    ],
    tables: [
      {
        title: "largest difference to the product in float64",
        columns: ["channels turned together", "difference"],
        rows: [
          ["(i, i + d/2)", half],
          ["(2i, 2i + 1)", neighbours],
        ],
      },
    ],
    charts: [],
  };
}

// ── decay with distance ──

/** The section about decay with distance. */
export function tellDecay({ verdict, bound, same, independent, boundFar, sameFar }: DecayFindings): Section {
  const level = independent.map(({ y }) => y);
  return {
    title: "Decay with distance",
    claim: "RoPE has a long-term decay: the inner product of a query and a key falls with their distance.",
    source: `${paper}, sections 3.3 and 3.4.3`,
    verdict,
    conclusion:
      `The paper's bound falls to ${(100 * boundFar).toFixed(0)} % at distances of ${farthest - 63} to ${farthest}, with waves on it; the score of a vector with itself to ` +
      `${(100 * sameFar).toFixed(0)} %. But the score of independent queries and keys does not decay at all: its size stays ${spread(level, 2)} at every distance.`,
    remarks: [
      "What decays is a bound, and the score where queries and keys point the same way. A rotation keeps a normal distribution as it is, so between independent contents nothing can decay; " +
        "models that look far away learn to use the slow pairs of channels, which hardly turn.",
    ],
    tables: [],
    charts: [
      {
        kind: "lines",
        title: `RoPE by distance, ${decayWidth} channels, relative to distance 0`,
        x: { label: "distance m − n" },
        y: { label: "relative size", domain: [0, 1.2] },
        series: [
          { name: "the paper's bound", as: "line", points: bound },
          { name: "a vector with itself", as: "line", points: same },
          { name: "independent vectors, rms", as: "dots", points: independent },
        ],
      },
    ],
  };
}

// ── longer than trained on ──

/** Claim and source of the section about longer texts. */
export const extrapolationHead: Head = {
  title: "Texts longer than those trained on",
  claim:
    "Relative positions should let a model read texts of other lengths than it saw; linear and NTK scaling are to help where plain RoPE fails.",
  source: `${paper}, section 3.3; Press et al. 2022, arXiv 2108.12409; Chen et al. 2023, arXiv 2306.15595; Peng et al. 2023, arXiv 2309.00071`,
};

/** The section about texts longer than those trained on. */
export function tellExtrapolation(found: ExtrapolationFindings): Section {
  const diverged = divergedRemark(found.diverged, "such a seed is left out");
  if (found.readings.length === 0)
    return {
      ...extrapolationHead,
      verdict: found.verdict,
      conclusion: "No seed can be compared.",
      remarks: diverged,
      tables: [],
      charts: [],
    };
  const listed = found.readings.map(({ name, inside, beyond }) => `${name} ${spread(inside, 2)} → ${spread(beyond, 2)}`).join("; ");
  return {
    ...extrapolationHead,
    verdict: found.verdict,
    conclusion:
      `Trained on ${trained} tokens and read at up to ${reach * trained}, the loss goes from the trained length's second half to what is beyond it (nats per token): ${listed}. ` +
      reaching(found),
    remarks: [
      `Models of 4 layers and 64 channels, ${counted(found.steps, "step")} of 4 × ${trained} tokens, ${counted(found.seeds, "seed")}; scaling is applied to the trained model as it is, without the training at the new length ` +
        "that its authors add, and squeezes also the positions that were learnt, which is why linear scaling costs in the first part.",
      `A learned table has no trained rows beyond the trained length${found.tableIsUsed ? "" : "; here its model is not better than the one without positions beyond chance inside it either"}. What hardly uses positions cannot be misled by them: compare each loss with that of no positions at all, which a causal model can do without to some extent.`,
      ...diverged,
    ],
    tables: extrapolationTables(found),
    charts: [positionChart(found)],
  };
}

/** How far rotary positions reach, in words. */
function reaching({ isShort, carries, fails, scaled }: ExtrapolationFindings): string {
  if (isShort)
    return "RoPE's model is not yet better than the one without positions beyond chance, so that nothing can be said of how far it reaches.";
  if (carries) return "RoPE extrapolates by itself.";
  const alone = fails
    ? "RoPE alone does not extrapolate: angles that never occurred in training are as strange to the model as positions that never occurred. "
    : "Whether RoPE alone extrapolates is not beyond chance. ";
  return alone + (scaled.length > 0 ? `What helps without any training: ${scaled.join("; ")}.` : "Scaling does not help beyond chance.");
}

function extrapolationTables({ readings, heldOut }: ExtrapolationFindings): Section["tables"] {
  return [
    {
      title: "loss in nats per token by position, mean ± std over seeds",
      columns: ["positions", ...Array.from({ length: reach }, (_, i) => `${i * trained} to ${(i + 1) * trained - 1}`)],
      rows: readings.map(({ name, parts }) => [name, ...parts.map((values) => spread(values))]),
    },
    {
      title: "held-out loss at the trained length",
      columns: ["positions", "loss"],
      rows: heldOut.map(({ name, losses }) => [name, spread(losses)]),
    },
  ];
}

function positionChart({ readings }: ExtrapolationFindings): LineChart {
  const series = readings.map(({ name, course }) => ({
    name,
    as: name.includes(",") || name === called.none ? ("dashed" as const) : ("line" as const),
    points: course,
  }));
  return {
    kind: "lines",
    title: `loss by position, trained on ${trained}`,
    x: { label: "position", domain: [0, reach * trained], ticks: Array.from({ length: reach + 1 }, (_, i) => i * trained) },
    y: { label: "loss, nats per token" },
    series,
    mark: { x: trained, label: "the trained length" },
  };
}
