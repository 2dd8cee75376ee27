// A plan for people: a few tables, with the formula or the source behind every line.
import {
  amount,
  exponent,
  type Kept,
  keptActivations,
  llamaTokensPerSecond,
  type PublishedRun,
  powerUsageEffectiveness,
  short,
  tonnesPerMegawattHour,
} from "../../plan/index.ts";
import { bytes, carbonText, duration, energyText, flopRate, moneyText, percent } from "./quantity.ts";
import type { PlanReport, ServingReport } from "./report.ts";
import type { Origin } from "./settle.ts";
import { type Row, table } from "./text.ts";

export function showReport(report: PlanReport): string {
  const { serving, layouts } = report;
  const parts = [
    showPlan(report),
    showOptima(report),
    ...(serving ? [showServing(serving, report.law.name)] : []),
    showModel(report),
    showMemory(report),
    showRun(report),
    ...(layouts ? [showLayouts(report)] : []),
  ];
  return parts.join("\n");
}

function showPlan({ plan, law, model, warnings }: PlanReport): string {
  const ratio = `${short(plan.tokens / plan.parameters)} a parameter: ${short(plan.timesOptimal)}× what is compute-optimal for this size, ${short(plan.timesTwenty)}× by 20 a parameter`;
  const { from } = plan;
  const said = (origin: string | undefined) => (origin === undefined ? "" : `${origin}; `);
  const rows = table(`plan: ${plan.because}`, [
    ["parameters N", amount(plan.parameters), from.parameters === "model" ? model.name : (origins[from.parameters] ?? "operations / 6·D")],
    ["tokens D", amount(plan.tokens), `${said(origins[from.tokens] ?? "operations / 6·N")}${ratio}`],
    ["operations", exponent(plan.flops), `${said(origins[from.flops])}6·N·D (Kaplan et al. 2020)`],
    [
      "loss",
      plan.loss.toFixed(3),
      `${said(from.loss === "law" ? undefined : origins[from.loss])}nats a token, ${equation(law)}: ${law.name}`,
    ],
  ]);
  return rows + warnings.map((warning) => `  ${warning}\n`).join("");
}

/** What follows by arithmetic says its formula instead. */
const origins: Partial<Record<Origin, string>> = {
  given: "as given",
  paper: "as in the paper",
  budget: "what the budget pays for",
  runs: "ten times the largest run's",
  law: "by the law below",
};

function equation({ E, A, B, alpha, beta }: PlanReport["law"]): string {
  return `${short(E)} + ${short(A)}/N^${short(alpha)} + ${short(B)}/D^${short(beta)}`;
}

function showOptima({ optima, flops, plan }: PlanReport): string {
  const rows = optima.map(
    (one): Row => [
      ...[one.law, amount(one.parameters), amount(one.tokens), short(one.tokens / one.parameters), one.loss.toFixed(3), one.source],
    ],
  );
  const same = Math.abs(flops / plan.flops - 1) < 1e-6 ? "the same " : "";
  return table(`compute-optimal for ${same}${exponent(flops)} operations`, [["", "N", "D", "D / N", "loss", ""], ...rows]);
}

function showServing(serving: ServingReport, law: string): string {
  const { served, loss, computeOptimal, yours, cheapest, breakEven, budgetOptimum } = serving;
  const isYours = (model: { parameters: number }) => Math.abs(model.parameters / yours.parameters - 1) < 1e-3;
  const models = [
    { name: "compute-optimal", ...computeOptimal },
    ...(isYours(computeOptimal) || (cheapest && isYours(cheapest)) ? [] : [{ name: "this plan", ...yours }]),
    ...(cheapest ? [{ name: isYours(cheapest) ? "cheapest life: this plan" : "cheapest life", ...cheapest }] : []),
  ];
  const rows = models.map(
    (model): Row => [
      ...[model.name, amount(model.parameters), amount(model.tokens), exponent(model.training)],
      ...(served === undefined ? [] : [exponent(model.serving), exponent(model.total), percent(model.total / computeOptimal.total)]),
    ],
  );
  const heads = ["", "N", "D", "training 6·N·D", ...(served === undefined ? [] : ["serving 2·N·S", "both", "of the first"])];
  const title = served === undefined ? "models of the same loss" : `models of the same loss that serve S = ${amount(served)} tokens`;
  const pays =
    breakEven &&
    `  the ${amount(breakEven.parameters)} model trains for ${exponent(breakEven.extra)} operations more, and has paid for them after ${amount(breakEven.served)} served tokens\n`;
  const better =
    budgetOptimum &&
    `  the loss ${budgetOptimum.loss.toFixed(3)} of the budget's compute-optimal model would take a ${amount(budgetOptimum.parameters)} model on ${amount(budgetOptimum.tokens)} tokens and ${short(budgetOptimum.timesBudget)} times the budget\n`;
  return `${table(`${title} (loss ${loss.toFixed(3)}, ${law}; Sardana et al. 2023, arXiv 2401.00448)`, [heads, ...rows])}${pays ?? ""}${better ?? ""}`;
}

function showModel({ model, plan }: PlanReport): string {
  const { config, length, parameters } = model;
  const attention = 12 * config.nLayers * config.dim * length;
  const off = parameters / plan.parameters - 1;
  const apart = Math.abs(off) < 5e-4 ? "" : ` (${percent(Math.abs(off))} ${off > 0 ? "more" : "less"} than the plan)`;
  const heads =
    config.nKvHeads === config.nHeads ? `${config.nHeads} heads` : `${config.nHeads} heads, ${config.nKvHeads} of keys and values`;
  return table(`model: ${model.name}`, [
    [
      "shape",
      "",
      `${config.nLayers} layers × ${config.dim} channels, ${heads}, feed-forward ${config.hiddenDim}, vocabulary ${config.vocabSize}`,
    ],
    ["parameters", parameters.toLocaleString("en-US"), `exactly${apart}`],
    [
      "training a token",
      exponent(model.trainingFlopsPerToken),
      `6·N + 12·L·d·T; attention over T = ${length} is ${percent(attention / model.trainingFlopsPerToken)} (PaLM, appendix B)`,
    ],
    ["serving a token", exponent(model.servingFlopsPerToken), `2·N + 4·L·d·T, with ${config.contextLength} tokens before it`],
  ]);
}

function showMemory({ memory, model }: PlanReport): string {
  const { training, serving } = memory;
  const cells = (of: (row: (typeof training)[number]) => number) => training.map((row) => bytes(of(row)));
  const kept = (Object.keys(keptActivations) as Kept[]).map(
    (name): Row => [`activations: ${keptActivations[name]}`, ...cells((row) => row.activations[name]), activationSources[name]],
  );
  const states = table("memory of training", [
    ["", ...training.map((row) => row.precision), ""],
    ["weights", ...cells((row) => row.weights), "4, 2 bytes a parameter"],
    ["gradients", ...cells((row) => row.gradients), "4, 2 bytes"],
    ["optimiser", ...cells((row) => row.optimiser), "AdamW's moments 8 bytes; mixed: and a float32 copy, 12 (Rajbhandari et al. 2019)"],
    ...kept,
  ]);
  const served = table("memory of serving", [
    ["", ...serving.map((row) => row.precision), ""],
    ["weights", ...serving.map((row) => bytes(row.weights)), "4, 2, 34/32, 18/32 bytes a parameter"],
    ["keys and values", ...serving.map((row) => bytes(row.kvCache)), `2·L·d_kv a token, one sequence of ${model.config.contextLength}`],
  ]);
  return `${states}\n${served}`;
}

const activationSources: Record<Kept, string> = {
  all: "one sequence; counted as by Korthikanti et al. 2022, section 4",
  linear: "LLaMA, section 2.4",
  inputs: "a third more operations",
};

function showRun({ run, published, layouts }: PlanReport): string {
  const { machine, energy, carbon, cost } = run;
  const printed = printedIn(published, machine);
  const assumed =
    percent(machine.utilisation) === percent(run.utilisation) ? "" : ` (${percent(machine.utilisation)} before the layout's losses)`;
  const nowhere = layouts !== undefined && "problem" in layouts ? ", leaving aside that no layout works there (below)" : "";
  const title = `training on ${machine.count > 1 ? `${machine.count} × ` : ""}${machine.name}${nowhere}`;
  const rows: (Row | undefined)[] = [
    ["peak", flopRate(machine.peak), machine.arithmetic],
    ["utilisation", percent(run.utilisation), `of the peak${assumed}: ${machine.utilisationSource}`],
    ["speed", `${short(run.tokensPerSecond)} tokens/s`, `${machine.isHere ? "of all threads" : "each"}${printed.speed}`],
    ["time", duration(run.hours), `D / speed${printed.time}`],
    machine.isHere ? undefined : ["accelerator-hours", short(run.acceleratorHours), `time × ${machine.count}${printed.hours}`],
    energy === undefined
      ? ["energy", "?", "--watts says what this machine takes"]
      : ["energy", energyText(energy), `hours × ${machine.watts} W × PUE ${powerUsageEffectiveness} (LLaMA, section 6)${printed.energy}`],
    carbon === undefined ? undefined : ["carbon", carbonText(carbon), `MWh × ${tonnesPerMegawattHour} (LLaMA, section 6)${printed.carbon}`],
    cost === undefined ? undefined : ["cost", moneyText(cost), `hours × $${machine.price} (${machine.priceSource})`],
  ];
  const board = machine.source === undefined ? "" : `  numbers of the board: ${machine.source}\n`;
  const here = machine.processor === undefined ? "" : `  this machine: ${machine.processor}\n`;
  return `${table(
    title,
    rows.filter((row) => row !== undefined),
  )}${here}${board}`;
}

/** What the paper has for this very model, tokens and accelerator; it used one kind, and prints a speed and days for one model. */
function printedIn(published: PublishedRun | undefined, { name, count }: PlanReport["run"]["machine"]) {
  const isPapers = published !== undefined && name === "a100-80gb";
  const is65B = isPapers && published.preset === "65B";
  const note = (text: string | number) => (isPapers ? `; the paper: ${text.toLocaleString("en-US")}` : "");
  return {
    speed: is65B ? note(`${llamaTokensPerSecond} tokens/s/GPU, which is 49.7 %`) : "",
    time: is65B && count === 2048 ? note("about 21 days") : "",
    hours: note(published?.gpuHours ?? ""),
    energy: note(published?.energy ?? ""),
    carbon: note(published?.carbon ?? ""),
  };
}

const shown = 6;

function showLayouts({ layouts, run, plan }: PlanReport): string {
  if (layouts === undefined || "problem" in layouts) return `parallel layouts: none\n  ${layouts?.problem}\n`;
  const { count } = run.machine;
  const rows = layouts
    .slice(0, shown)
    .map(
      (one): Row => [
        `${one.data} × ${one.tensor} × ${one.pipeline}`,
        shardings[one.sharding],
        bytes(one.bytes),
        percent(one.bubble),
        percent(one.communication),
        short(one.tokensPerSecond / count),
        duration(plan.tokens / one.tokensPerSecond / 3600),
        keptActivations[one.kept],
      ],
    );
  const title = `parallel layouts that fit, the fastest of ${layouts.length}`;
  const heads = [
    "data × tensor × pipeline",
    "sharded over data",
    "GB each",
    "bubble",
    "communication",
    "tokens/s each",
    "time",
    "activations",
  ];
  const twice = run.machine.isPublishedUtilisation ? twiceCounted : "";
  return `${table(title, [heads, ...rows])}${twice}${layoutSources}`;
}

const twiceCounted = `\
  a published utilisation holds its own run's losses already: what is taken off here comes on top, so these speeds are cautious
`;
const layoutSources = `\
  communication is a share of the computation that hides it; a tenth of the memory is kept free
  sources: Narayanan et al. 2021, arXiv 2104.04473; Rajbhandari et al. 2019, arXiv 1910.02054; Korthikanti et al. 2022, arXiv 2205.05198
`;
const shardings = ["nothing", "optimiser", "+ gradients", "+ weights"] as const;
