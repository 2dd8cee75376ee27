// The norm study's findings in words, tables and charts.
import type { NormPlacement } from "../../model/index.ts";
import type { LineChart, Series } from "../../plot/index.ts";
import type { Section } from "../report.ts";
import { band, groupBy, mean } from "../statistics.ts";
import type { Head } from "../unfinished.ts";
import { asUnigramBaseline, counted, divergedRemark, spread, told } from "../words.ts";
import { type Cell, type Course, type InitialFindings, type KindFindings, noCost, stalled, type WarmupFindings } from "./judge.ts";
import { called, depths, kinds, layers, learningRates, placements, probe, timed, warmups } from "./measure.ts";

const xiong = "Xiong et al. 2020, arXiv 2002.04745";
const zhang = "Zhang & Sennrich 2019, arXiv 1910.07467";

// ── gradients at initialisation ──

/** The section about gradients at initialisation. */
export function tellInitial(found: InitialFindings): Section {
  const { exponents, growth, apart, lastLayer, deepest, fittedFrom } = found;
  return {
    title: "Gradients at initialisation",
    claim:
      "With Post-LN the expected gradients of the parameters near the output are large, O(d·sqrt(ln d)), whatever the depth L; with Pre-LN they are O(d·sqrt(ln d / L)).",
    source: `${xiong}, theorem 1 and figure 3`,
    verdict: found.verdict,
    conclusion:
      `The norm of the last layer's gradient goes with L^(${spread(exponents.post, 2)}) for Post-LN (theory: 0) and with L^(${spread(exponents.pre, 2)}) for Pre-LN (theory: −0.5), ` +
      `${fittedFrom} to ${deepest} layers; at ${deepest} layers Post-LN's is ${spread(apart, 1)} times Pre-LN's. ` +
      `The last layer's is ${spread(growth.post, 2)} of the first layer's there with Post-LN and ${spread(growth.pre, 2)} with Pre-LN.`,
    remarks: initialRemarks(found),
    tables: [
      {
        title: "gradient norm of the last layer's W_2, mean over seeds",
        columns: ["layers", ...placements.map((placement) => called[placement])],
        rows: lastLayer.post.map(({ x }, i) => [x, ...placements.map((placement) => lastLayer[placement][i]!.y)]),
      },
    ],
    charts: [depthChart(found), ...placements.map((placement) => layerChart(found, placement))],
  };
}

function initialRemarks({ growth, seeds }: InitialFindings): string[] {
  return [
    `Feed-forward W_2, LayerNorm, ReLU, sinusoids, 64 channels and 256 hidden ones, Xavier's first weights and embeddings of unit variance as in the paper's analysis; ` +
      `${probe.batch} × ${probe.length} tokens of the text, ${counted(seeds, "seed")}. The theory's line is fitted in height only.`,
    mean(growth.post) > 1.2
      ? "As in the paper's figure 3, Post-LN's gradients grow towards the output."
      : "Unlike the paper's figure 3, Post-LN's gradients do not grow towards the output. That figure is of a wider model with sentences in two languages; the theorem says nothing of lower layers.",
    "The theorem is about the last layer. In LLaMA's and GPT-2's recipe the matrices that write to the stream begin smaller, by 1/sqrt(2L), which changes these laws.",
  ];
}

function depthChart({ lastLayer }: InitialFindings): LineChart {
  const series = placements.flatMap((placement): Series[] => {
    const measured = lastLayer[placement];
    const exponent = placement === "post" ? 0 : -0.5;
    const height = Math.exp(mean(measured.map(({ x, y }) => Math.log(y / x ** exponent))));
    const theory = measured.map(({ x }) => ({ x, y: height * x ** exponent }));
    const law = placement === "post" ? "constant" : "1/sqrt(L)";
    return [
      { name: called[placement], as: "dots", group: placement, points: measured },
      { name: `theory: ${law}`, as: "dashed", group: placement, points: theory },
    ];
  });
  return {
    kind: "lines",
    title: "gradient norm of the last layer's W_2 at initialisation",
    x: { label: "layers L", scale: "log", ticks: depths },
    y: { label: "norm", scale: "log" },
    series,
  };
}

function layerChart({ byLayer }: InitialFindings, placement: NormPlacement): LineChart {
  return {
    kind: "lines",
    title: `${called[placement]}: gradient norm of each layer's parameters`,
    x: { label: "layer" },
    y: { label: "norm", scale: "log" },
    series: byLayer[placement].map(({ depth, norms }): Series => ({ name: `${depth} layers`, as: "line", points: norms })),
  };
}

// ── training with and without warm-up ──

/** Claim and source of the section about warm-up. */
export const warmupHead: Head = {
  title: "Training with and without warm-up",
  claim: "Post-LN needs a learning-rate warm-up and is sensitive to it; with Pre-LN the warm-up can go.",
  source: `${xiong}, sections 3.1 and 4`,
};

/** The section about training with and without warm-up. */
export function tellWarmup(found: WarmupFindings): Section {
  const { failures, gained, runs, unigramLoss } = found;
  const failed = (placement: NormPlacement) =>
    `${called[placement]} ${failures[placement].none} of ${runs} without warm-up and ${failures[placement].warm} with it`;
  const toldGains = (placement: NormPlacement) =>
    gained[placement].map((nats, i) => `${spread(nats, 2)} at ${learningRates[i]}`).join(", ");
  return {
    ...warmupHead,
    verdict: found.verdict,
    conclusion:
      `Runs that ended no more than ${stalled} nats below the unigram baseline (${unigramLoss.toFixed(2)}), or diverged: ${failed("post")}; ${failed("pre")}. ` +
      `What the warm-up gained in nats: ${called.post} ${toldGains("post")}; ${called.pre} ${toldGains("pre")}.`,
    remarks: [
      `${counted(layers, "layer")}, ${counted(found.steps, "step")} of 4 × 64 tokens, Adam (0.9, 0.98) without clipping as in the paper, warm-up a fifth of the steps, then half a cosine to a tenth; ${counted(found.seeds, "seed")}. ` +
        "In what the warm-up gained, a run above the unigram baseline counts as if it had reached it.",
      ...(found.isShort ? [] : missing(found)),
    ],
    tables: [lossTable(found)],
    charts: [rateChart(found), courseChart(found)],
  };
}

/** Why half of the claim, or all of it, may not be seen. */
function missing({ postNeedsIt, preDoesWithout, postFailsAnyway, preFailsAnyway, preGains }: WarmupFindings): string[] {
  return [
    ...(preDoesWithout
      ? []
      : [
          preFailsAnyway
            ? "Pre-LN fails with the warm-up too: some of these rates are too high for it."
            : preGains
              ? "Pre-LN is better with the warm-up too: at these rates, and in so few steps, it does not do without."
              : "That Pre-LN does without the warm-up is not beyond chance here: its seeds are too far apart.",
        ]),
    ...(postNeedsIt
      ? []
      : [
          postFailsAnyway
            ? "Post-LN fails with the warm-up too: these rates are too high for it, or the warm-up is too short in so few steps."
            : "That Post-LN needs the warm-up is not beyond chance here: so short a training of so small a model is more forgiving than the paper's, of wider models and 100,000 steps and more.",
        ]),
  ];
}

function lossTable({ cells }: WarmupFindings): Section["tables"][number] {
  const losses = (placement: NormPlacement, warmup: number) =>
    cells.filter((cell) => cell.name === called[placement] && cell.warmup === warmup).map((cell) => cell.losses);
  return {
    title: "held-out loss in nats per token, mean ± std over seeds",
    columns: ["", "warm-up", ...learningRates.map((rate) => `rate ${rate}`)],
    rows: placements.flatMap((placement) =>
      warmups.map((warmup) => [
        called[placement],
        warmup === 0 ? "none" : `${100 * warmup} %`,
        ...losses(placement, warmup).map((ofRate) => (ofRate.every(Number.isFinite) ? spread(ofRate) : "diverged (NaN)")),
      ]),
    ),
  };
}

function nameOf({ name, warmup }: Cell | Course): string {
  return `${name}, ${warmup === 0 ? "no warm-up" : "warm-up"}`;
}

function rateChart({ cells, unigramLoss }: WarmupFindings): LineChart {
  const series = [...groupBy(cells, nameOf)].map(([name, group]): Series => {
    const points = group.map(({ learningRate, losses }) => band(learningRate, losses));
    return { name, as: group[0]!.warmup === 0 ? "dashed" : "line", group: group[0]!.name, points };
  });
  const baseline: Series = { name: "unigram baseline", as: "dashed", points: learningRates.map((x) => ({ x, y: unigramLoss })) };
  return {
    kind: "lines",
    title: "held-out loss by learning rate",
    x: { label: "peak learning rate", scale: "log", ticks: learningRates },
    y: { label: "loss, nats per token" },
    series: [...series, baseline],
  };
}

function courseChart({ courses }: WarmupFindings): LineChart {
  const series = courses.map(
    (course): Series => ({
      name: nameOf(course),
      as: course.warmup === 0 ? "dashed" : "line",
      group: course.name,
      points: course.points,
    }),
  );
  return {
    kind: "lines",
    title: `training loss at a rate of ${learningRates.at(-1)!}`,
    x: { label: "step" },
    y: { label: "loss, nats per token" },
    series,
  };
}

// ── RMSNorm or LayerNorm ──

/** Claim and source of the section about the two norms. */
export const kindHead: Head = {
  title: "RMSNorm against LayerNorm",
  claim: "Leaving out the mean costs no quality and takes less time: 7 % to 64 % less for the whole model in the paper's implementations.",
  source: `${zhang}, section 6`,
};

/** The section about RMSNorm and LayerNorm. */
export function tellKinds({ verdict, losses, seeds, steps, cost, ratio, times, diverged }: KindFindings): Section {
  const { rms, layer } = losses;
  return {
    ...kindHead,
    verdict,
    conclusion:
      `Held-out loss ${spread(rms)} with RMSNorm and ${spread(layer)} with LayerNorm over ${counted(rms.length, "seed")}: RMSNorm costs ${told(cost)}, where less than ${noCost} counts as nothing; ` +
      `the norm alone, forward and backward over ${timed.rows} × ${timed.channels} numbers, takes ${ratio.toFixed(2)} of LayerNorm's time (${times.rms.toFixed(2)} against ${times.layer.toFixed(2)} ms).`,
    remarks: [
      `LLaMA's model with 6 layers and 64 channels, ${counted(steps, "step")} of 4 × 64 tokens. Both norms read and write as much memory; what RMSNorm saves is arithmetic and one pass over a row. ` +
        "In a whole step the norms are a few per cent, so the gain there is smaller than in frameworks that run each operation by itself.",
      ...divergedRemark(diverged, asUnigramBaseline),
    ],
    tables: [{ title: "by seed", columns: ["seed", "RMSNorm", "LayerNorm"], rows: rms.map((loss, i) => [seeds[i]!, loss, layer[i]!]) }],
    charts: [
      {
        kind: "ranges",
        title: "held-out loss: a dot per seed, a line for their mean",
        x: { label: "loss, nats per token" },
        rows: [
          { name: kinds.rms.name, values: rms },
          { name: kinds.layer.name, values: layer },
        ],
      },
    ],
  };
}
