// What a training run came to, as one page beside it: its loss, what it reaches on held-out text, what it writes, its recipe and machine.
import { basename, join, resolve } from "node:path";
import { atomicWrite, readTextFile } from "../files/index.ts";
import { parameterCount } from "../model/index.ts";
import { asText, type LineChart, loadPlots, type Point, pageHtml, type Table, tableHtml } from "../plot/index.ts";
import { type EvaluationRow, isEvaluationRow, isStepRow, readMetrics, readRecipe, runPaths, type StepRow } from "../runs/index.ts";
import { completeRecipe } from "../train/index.ts";
import type { Compression } from "./compression.ts";

/** A text that the model wrote. */
export interface Sample {
  readonly prompt: string;
  /** What the model wrote behind the prompt. */
  readonly text: string;
}

/** What does not stand in the run's folder. */
export interface RunFacts {
  /** The machine and its backend. */
  readonly machine: string;
  /** What the model learned from, a line per source. */
  readonly texts: readonly string[];
  readonly samples: readonly Sample[];
  /** How small other programs make the held-out text; none where they were not tried. */
  readonly compression?: readonly Compression[];
  /** What there is to say besides, a sentence each. */
  readonly notes?: readonly string[];
}

const where = "report";
/** Points of a curve: more than these cannot be told apart. */
const mostPoints = 300;

/** @returns the path of RUN/report.html. @throws PlotsMissing; CriaError when the run cannot be read or the page not be written */
export async function writeRunReport(folder: string, facts: RunFacts): Promise<string> {
  const path = join(folder, "report.html");
  await atomicWrite(path, await runReportHtml(folder, facts), where);
  return path;
}

async function runReportHtml(folder: string, { machine, texts, samples, compression = [], notes = [] }: RunFacts): Promise<string> {
  const { figureHtml } = await loadPlots();
  const paths = runPaths(folder);
  const rows = await readMetrics(paths.metrics);
  const [steps, evaluations] = [rows.filter(isStepRow), rows.filter(isEvaluationRow)];
  return pageHtml({
    title: basename(resolve(folder)),
    facts: [await describeRun(paths.recipe, steps), ...texts, `on ${machine}`],
    style: ".sample { white-space: pre-wrap; border-left: 3px solid var(--line); padding-left: 1rem; } .prompt { font-weight: 600; }",
    parts: [
      figureHtml(lossChart(steps, evaluations)),
      ...heldOutTables(evaluations, compression).map(tableHtml),
      ...(samples.length === 0 ? [] : ["<h2>What it writes</h2>", ...samples.map(sampleHtml)]),
      ...notes.map((note) => `<p>${asText(note)}</p>`),
      `<h2>The recipe</h2>\n<pre>${asText(await readTextFile(paths.recipe, where, "recipe"))}</pre>`,
    ],
  });
}

async function describeRun(path: string, steps: readonly StepRow[]): Promise<string> {
  const read = await readRecipe(path);
  const { model, batch, accumulation, length, precision } = completeRecipe(read, read.model.vocabSize ?? 0);
  const seconds = steps.reduce((sum, row) => sum + row.seconds, 0);
  const { step = 0, tokens = 0 } = steps.at(-1) ?? {};
  const sizes = `${model.nLayers} layers, ${model.dim} channels, ${model.nHeads} heads, ${model.vocabSize} pieces`;
  const work = `${step.toLocaleString("en")} steps of ${batch * accumulation} × ${length} tokens, ${tokens.toLocaleString("en")} in all, in ${precision}`;
  return `${parameterCount(model).toLocaleString("en")} parameters: ${sizes}; ${work}, in ${seconds.toFixed(0)} s`;
}

function lossChart(steps: readonly StepRow[], evaluations: readonly EvaluationRow[]): LineChart {
  const heldOut = evaluations.map(({ step, heldOutLoss }) => ({ x: step, y: heldOutLoss }));
  return {
    kind: "lines",
    title: "loss in nats per token",
    x: { label: "optimiser steps" },
    y: { label: "loss" },
    series: [
      { name: "training", as: "line", points: thinned(steps) },
      ...(heldOut.length === 0 ? [] : [{ name: "held out", as: "dots", points: heldOut } as const]),
    ],
  };
}

/** Means of neighbouring steps with the range of each. */
function thinned(steps: readonly StepRow[]): Point[] {
  const count = Math.min(mostPoints, steps.length);
  return Array.from({ length: count }, (_, i) => {
    const part = steps.slice(Math.floor((i * steps.length) / count), Math.floor(((i + 1) * steps.length) / count));
    const losses = part.map(({ loss }) => loss);
    const y = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
    return { x: part.at(-1)!.step, y, low: Math.min(...losses), high: Math.max(...losses) };
  });
}

function heldOutTables(evaluations: readonly EvaluationRow[], compression: readonly Compression[]): Table[] {
  const last = evaluations.at(-1);
  if (last === undefined) return [];
  const measured = evaluations.map(({ step, heldOutLoss, bitsPerByte }) => [step, heldOutLoss, Math.exp(heldOutLoss), bitsPerByte]);
  const rivals = [...compression, { name: "this model", bitsPerByte: last.bitsPerByte }].sort((a, b) => b.bitsPerByte - a.bitsPerByte);
  const table = {
    title: "Held-out text, which training never saw",
    columns: ["step", "loss", "perplexity", "bits per byte"],
    rows: measured,
  };
  if (compression.length === 0) return [table];
  return [
    table,
    { title: "Bits per byte of that text", columns: ["", "bits per byte"], rows: rivals.map((one) => [one.name, one.bitsPerByte]) },
  ];
}

function sampleHtml({ prompt, text }: Sample): string {
  return `<p class="sample"><span class="prompt">${asText(prompt)}</span>${asText(text)}</p>`;
}
