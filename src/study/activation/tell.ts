// The activation study's findings in words, tables and charts.
import type { LineChart, Series } from "../../plot/index.ts";
import type { Section } from "../report.ts";
import type { Head } from "../unfinished.ts";
import { asUnigramBaseline, counted, divergedRemark, spread, told } from "../words.ts";
import type { CurveFindings, LossFindings, ParameterFindings } from "./judge.ts";
import { type Curve, curves, dim, flatSwish, length, relu, slope, value, xs } from "./measure.ts";

const shazeer = "Shazeer 2020, arXiv 2002.05202";

/** The section about the functions and their derivatives. */
export function tellCurves({ verdict, lowest: { gelu, swish }, toRelu, toLine, toTanh, slopeError }: CurveFindings): Section {
  return {
    title: "The functions and their derivatives",
    claim:
      "GELU(x) = x·Φ(x) and Swish_β(x) = x·σ(βx) are smooth and dip below zero; with β from 0 to infinity Swish goes from x/2 to ReLU.",
    source: "Hendrycks & Gimpel 2016, arXiv 1606.08415; Ramachandran et al. 2017, arXiv 1710.05941",
    verdict,
    conclusion:
      `GELU is least at x = ${gelu.x.toFixed(2)} with ${gelu.y.toFixed(3)}, Swish (β = 1, SiLU) at ${swish.x.toFixed(2)} with ${swish.y.toFixed(3)}; Swish with β = 10 is within ${toRelu.toFixed(3)} of ReLU, with β = ${flatSwish.beta} within ${toLine.toFixed(3)} of x/2; ` +
      `GELU's tanh form is within ${toTanh.toExponential(1)} of the exact one. Slopes agree with difference quotients to ${slopeError.toExponential(1)}.`,
    remarks: ["ReLU's slope is 0 for all negative inputs: what falls there learns nothing. The others have a slope almost everywhere."],
    tables: [],
    charts: [curveChart("the functions", "f(x)", value), curveChart("their derivatives", "f′(x)", slope)],
  };
}

function curveChart(title: string, label: string, f: (curve: Curve, x: number) => number): LineChart {
  const shown = xs.filter((_, i) => i % 16 === 0);
  const lineOf = (curve: Curve): Series => ({
    name: curve.name,
    as: curve === relu ? "dashed" : "line", // The curve lies on that of Swish with a large β.
    points: shown.map((x) => ({ x, y: f(curve, x) })),
  });
  const series = [...curves.filter((curve) => curve !== relu), relu].map(lineOf);
  return { kind: "lines", title, x: { label: "x" }, y: { label }, series };
}

/** The section about equal parameters. */
export function tellParameters({ verdict, layers }: ParameterFindings): Section {
  const [plain, gated] = [4 * dim, (8 * dim) / 3];
  return {
    title: "The 2/3 rule",
    claim: "A gated layer has three matrices instead of two; with 2/3 of the hidden channels its parameters and operations stay the same.",
    source: `${shazeer}, section 2; LLaMA, section 2.2`,
    verdict,
    conclusion: `2 · ${dim} · ${plain} = 3 · ${dim} · ${gated} = ${(2 * dim * plain).toLocaleString("en")} parameters per layer; all ${layers.length} models here have ${layers[0]!.ofModel.toLocaleString("en")} in all.`,
    remarks: [
      "LLaMA rounds 2/3 · 4d up to a multiple of 256, which suits the hardware and costs a few parameters: 11,008 instead of 10,922.67 at d = 4,096.",
    ],
    tables: [
      {
        title: "feed-forward layers",
        columns: ["", "matrices", "hidden channels", "parameters per layer", "of the model"],
        rows: layers.map(({ name, matrices, hiddenDim, ofLayer, ofModel }) => [name, matrices, hiddenDim, ofLayer, ofModel]),
      },
    ],
    charts: [],
  };
}

/** Claim and source of the section about losses. */
export const lossHead: Head = {
  title: "Losses at equal parameters",
  claim: "The GLU variants beat ReLU, GELU and Swish; GEGLU and SwiGLU are the best: 1.942 and 1.944 against ReLU's 1.997 log-perplexity.",
  source: `${shazeer}, table 1`,
};

/** The section about losses at equal parameters. */
export function tellLosses(found: LossFindings): Section {
  const { plain, gated, gain, ranked, seeds } = found;
  const [best, last] = [ranked[0]!, ranked.at(-1)!];
  const lossOf = (name: string) => spread(ranked.find((one) => one.name === name)!.losses);
  const unlike = exceptions(found);
  return {
    ...lossHead,
    verdict: found.verdict,
    conclusion:
      `The five gated layers reach ${spread(gated)} nats per token, the five plain ones ${spread(plain)} over ${counted(seeds.length, "seed")}: ` +
      `the gates gain ${told(gain)}. Best is ${best.name} (${spread(best.losses)}), last ${last.name} (${spread(last.losses)}); ` +
      `SwiGLU has ${lossOf("SwiGLU")}, ReLU ${lossOf("ReLU")}.` +
      (unlike.length === 0 ? "" : ` Unlike the paper: ${unlike.join("; ")}.`),
    remarks: [
      `Models of 3 layers and ${dim} channels, ${counted(found.steps, "step")} of 4 × ${length} tokens, the same order of the text and learning rate for all, first weights by the same rule: what goes into an activation has size 1.`,
      ...divergedRemark(found.diverged, asUnigramBaseline),
      "The paper's differences are 1 to 3 % of the loss, after 65,536 steps of far larger batches. In so short a training of so small a model the speed of the first learning weighs most, and their order need not be the paper's.",
    ],
    tables: [
      {
        title: "held-out loss in nats per token, best first",
        columns: ["", "mean ± std", ...seeds.map((seed) => `seed ${seed}`)],
        rows: ranked.map(({ name, losses }) => [name, spread(losses), ...losses]),
      },
    ],
    charts: [
      {
        kind: "ranges",
        title: "held-out loss: a dot per seed, a line for their mean",
        x: { label: "loss, nats per token" },
        rows: ranked.map(({ name, losses }) => ({ name, values: losses })),
      },
    ],
  };
}

/** Where the order is not that of the claim. */
function exceptions({ bestPlain, behind, isBestAsClaimed }: LossFindings): string[] {
  return [
    ...(behind.length > 0 ? [`${behind.join(", ")} ${behind.length > 1 ? "are" : "is"} behind ${bestPlain}`] : []),
    ...(isBestAsClaimed ? [] : ["neither GEGLU nor SwiGLU is the best"]),
  ];
}
