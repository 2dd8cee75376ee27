// A plan for people: a few tables, with the formula or the source behind every line.
import {
  amount,
  attentionFlopsPerToken,
  bytes,
  example,
  exponent,
  flopRate,
  given,
  type Kept,
  keptActivations,
  llamaTokensPerSecond,
  type Origin,
  type PlanReport,
  type PublishedRun,
  powerUsageEffectiveness,
  type ServingPlan,
  type ServingReport,
  short,
  tonnesPerMegawattHour,
} from "../../plan/index.ts";
import { carbonText, duration, energyText, moneyText, percent } from "./quantity.ts";
import { type Printer, printer, type Row } from "./text.ts";

/** @param width of the terminal, in characters */
export function showReport(report: PlanReport, width: number): string {
  const { serving, layouts } = report;
  const print = printer(width);
  const parts = [
    showPlan(report, print),
    showOptima(report, print),
    ...(serving ? [showServing(serving, report.law.name, print)] : []),
    showModel(report, print),
    showMemory(report, print),
    showRun(report, print),
    ...(layouts ? [showLayouts(report, print)] : []),
  ];
  return parts.join("\n");
}

function showPlan({ plan, law, model, warnings }: PlanReport, print: Printer): string {
  const ratio = `${short(plan.tokens / plan.parameters)} per parameter: ${short(plan.timesOptimal)}× what is compute-optimal for this size, ${short(plan.timesTwenty)}× by 20 per parameter`;
  const { from } = plan;
  const said = (origin: string | undefined) => (origin === undefined ? "" : `${origin}; `);
  // What the numbers do not hold for is read before them.
  const doubts = warnings.length === 0 ? "" : `${warnings.map(print.title).join("")}\n`;
  const rows = print.table(`plan: ${plan.because}`, [
    [
      "parameters N",
      amount(plan.parameters),
      from.parameters === "model" ? named(model) : (origins[from.parameters] ?? "operations / 6·D"),
    ],
    ["tokens D", amount(plan.tokens), `${said(origins[from.tokens] ?? "operations / 6·N")}${ratio}`],
    ["operations", exponent(plan.flops), `${said(origins[from.flops])}6·N·D (Kaplan et al. 2020)`],
    [
      "loss",
      plan.loss.toFixed(3),
      `${said(from.loss === "law" ? undefined : origins[from.loss])}nats per token, ${equation(law)}: ${law.name}`,
    ],
  ]);
  return doubts + rows;
}

/** The small presets are called as others call them, whose vocabulary may be another. */
function named({ name, config }: PlanReport["model"]): string {
  if (name !== "15M") return name;
  return `${name}: the name counts a vocabulary of 32,000, the preset has ${config.vocabSize.toLocaleString("en-US")}`;
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

function showOptima({ optima, flops, plan }: PlanReport, print: Printer): string {
  const rows = optima.map(
    ({ law, parameters, tokens, loss, source }): Row => [
      ...[law, amount(parameters), amount(tokens), short(tokens / parameters), loss?.toFixed(3) ?? "–", source],
    ],
  );
  const same = Math.abs(flops / plan.flops - 1) < 1e-6 ? "the same " : "";
  return print.table(`compute-optimal for ${same}${exponent(flops)} operations`, [
    ["", "\nN", "\nD", "\nD / N", "loss by\nits own law", ""],
    ...rows,
  ]);
}

function showServing(serving: ServingReport, law: string, print: Printer): string {
  const { served, loss, computeOptimal, yours, cheapest, breakEven, budgetOptimum } = serving;
  const isYours = (model: { parameters: number }) => Math.abs(model.parameters / yours.parameters - 1) < 1e-3;
  const models = [
    { name: "compute-optimal", ...computeOptimal },
    ...(isYours(computeOptimal) || (cheapest && isYours(cheapest)) ? [] : [{ name: "this plan", ...yours }]),
    ...(cheapest ? [{ name: isYours(cheapest) ? "cheapest: this plan" : "cheapest life", ...cheapest }] : []),
  ];
  const rows = models.map(
    (model): Row => [
      ...[model.name, amount(model.parameters), amount(model.tokens), exponent(model.training)],
      ...(served === undefined ? [] : [exponent(model.serving), exponent(model.total), percent(model.total / computeOptimal.total)]),
    ],
  );
  const heads = ["", "\nN", "\nD", "training\n6·N·D", ...(served === undefined ? [] : ["serving\n2·N·S", "\ntogether", "share\nof row 1"])];
  const title = served === undefined ? "models of the same loss" : `models of the same loss that serve S = ${amount(served)} tokens`;
  const table = print.table(`${title} (loss ${loss.toFixed(3)}, ${law}; Sardana et al. 2023, arXiv 2401.00448)`, [heads, ...rows]);
  const notes = [
    "training is paid once, serving for every token: the more is served, the smaller the model that is cheapest over its life, trained for longer to be as good",
    ...(breakEven ? [paysFrom(breakEven, computeOptimal)] : []),
    ...(budgetOptimum ? [wouldTake(budgetOptimum)] : []),
  ];
  return table + notes.map(print.note).join("");
}

function paysFrom(small: NonNullable<ServingReport["breakEven"]>, { parameters }: ServingPlan): string {
  return `the ${amount(small.parameters)} model takes ${exponent(small.extra)} operations more to train than the compute-optimal ${amount(parameters)}; from ${amount(small.served)} served tokens on it is the cheaper of the two`;
}

function wouldTake({ optimum, parameters, tokens, timesBudget }: NonNullable<ServingReport["budgetOptimum"]>): string {
  return `not to lose to the budget's compute-optimal ${amount(optimum.parameters)} model, loss ${optimum.loss.toFixed(3)}, the cheapest is ${amount(parameters)} on ${amount(tokens)} tokens, ${short(timesBudget)} times the budget`;
}

function showModel({ model, plan }: PlanReport, print: Printer): string {
  const { config, length, parameters } = model;
  const attention = 3 * attentionFlopsPerToken(config, length);
  const off = parameters / plan.parameters - 1;
  const apart = Math.abs(off) < 5e-4 ? "" : ` (${percent(Math.abs(off))} ${off > 0 ? "more" : "less"} than the plan)`;
  const heads =
    config.nKvHeads === config.nHeads
      ? `${config.nHeads} head${config.nHeads === 1 ? "" : "s"}`
      : `${config.nHeads} heads, ${config.nKvHeads} of keys and values`;
  const width = config.nHeads * config.headDim === config.dim ? "" : ` of ${config.headDim} channels each`;
  return print.table(`model: ${model.name}`, [
    [
      "shape",
      "",
      `${config.nLayers} layers × ${config.dim} channels, ${heads}${width}, feed-forward ${config.hiddenDim}, vocabulary ${config.vocabSize}`,
    ],
    ["parameters", parameters.toLocaleString("en-US"), `exactly${apart}`],
    [
      "training, per token",
      exponent(model.trainingFlopsPerToken),
      `6·N + 12·L·d·T; attention over T = ${length} is ${percent(attention / model.trainingFlopsPerToken)} (PaLM, appendix B)`,
    ],
    ["serving, per token", exponent(model.servingFlopsPerToken), `2·N + 4·L·d·T, with ${config.contextLength} tokens before it`],
  ]);
}

function showMemory({ memory, model }: PlanReport, print: Printer): string {
  const { training, serving } = memory;
  const cells = (of: (row: (typeof training)[number]) => number) => training.map((row) => bytes(of(row)));
  const kept = (Object.keys(keptActivations) as Kept[]).map(
    (name, i): Row => [
      i === 0 ? "activations" : "or",
      ...cells((row) => row.activations[name]),
      `${keptActivations[name]}: ${activationSources[name]}`,
    ],
  );
  const states = print.table("memory of training", [
    ["", ...training.map((row) => row.precision), ""],
    ["weights", ...cells((row) => row.weights), "4, 2 bytes per parameter"],
    ["gradients", ...cells((row) => row.gradients), "4, 2 bytes"],
    ["optimiser", ...cells((row) => row.optimiser), "AdamW's moments 8 bytes; mixed: and a float32 copy, 12 (Rajbhandari et al. 2019)"],
    ...kept,
  ]);
  const served = print.table("memory of serving", [
    ["", ...serving.map((row) => row.precision), ""],
    ["weights", ...serving.map((row) => bytes(row.weights)), "4, 2, 34/32, 18/32 bytes per parameter"],
    ["keys and values", ...serving.map((row) => bytes(row.kvCache)), `2·L·d_kv per token, one sequence of ${model.config.contextLength}`],
  ]);
  return `${states}\n${served}`;
}

const activationSources: Record<Kept, string> = {
  all: "one sequence; counted as by Korthikanti et al. 2022, section 4",
  linear: "activation checkpointing as in LLaMA, section 2.4",
  inputs: "activation checkpointing, a third more operations",
};

/** Whose number it is: the flag's, or one that the flag takes the place of. */
function sourceText(source: string | undefined, flag: string): string {
  if (source === example) return `${example}; ${flag} says yours`;
  return (source ?? "").replace(new RegExp(`^${given}\\b`), flag);
}

function showRun({ run, published, layouts }: PlanReport, print: Printer): string {
  const { machine, energy, carbon, cost } = run;
  const printed = printedIn(published, machine);
  const nowhere = layouts !== undefined && "problem" in layouts ? ", leaving aside that no layout works there (below)" : "";
  const title = `training on ${machine.count > 1 ? `${machine.count} × ` : ""}${machine.name}${nowhere}`;
  const rows: (Row | undefined)[] = [
    ["peak", flopRate(machine.peak), machine.arithmetic],
    [
      "utilisation (MFU)",
      percent(run.utilisation),
      `of the peak${assumedOf(run)}: ${sourceText(machine.utilisationSource, "--utilisation")}`,
    ],
    ["speed", `${short(run.tokensPerSecond)} tokens/s`, `${machine.isHere ? "of all threads" : "each"}${printed.speed}`],
    ["time", duration(run.hours), `D / speed${printed.time}`],
    machine.isHere ? undefined : ["accelerator-hours", short(run.acceleratorHours), `time × ${machine.count}${printed.hours}`],
    energy === undefined
      ? ["energy", "?", "--watts says what this machine takes"]
      : ["energy", energyText(energy), `hours × ${machine.watts} W × PUE ${powerUsageEffectiveness} (LLaMA, section 6)${printed.energy}`],
    carbon === undefined ? undefined : ["carbon", carbonText(carbon), `MWh × ${tonnesPerMegawattHour} (LLaMA, section 6)${printed.carbon}`],
    cost === undefined ? undefined : ["cost", moneyText(cost), `hours × $${machine.price} (${sourceText(machine.priceSource, "--price")})`],
  ];
  const notes = [
    ...run.notes,
    ...(machine.processor === undefined ? [] : [`this machine: ${machine.processor}`]),
    ...(machine.source === undefined ? [] : [`numbers of the board: ${machine.source}`]),
  ];
  const table = print.table(
    title,
    rows.filter((row) => row !== undefined),
  );
  return table + notes.map(print.note).join("");
}

/** What the layout's losses were taken off, where that is not the number of the source. */
function assumedOf({ machine, utilisation }: PlanReport["run"]): string {
  const { computation } = machine;
  if (percent(utilisation) === percent(machine.utilisation)) return "";
  if (computation === undefined) return ` (${percent(machine.utilisation)} before the layout's losses)`;
  if (percent(utilisation) === percent(computation))
    return `, computing alone, as in the run that came to ${percent(machine.utilisation)} with its layout's losses`;
  return ` (${percent(computation)} before the layout's losses, as in the run that came to ${percent(machine.utilisation)})`;
}

/** What the paper has for this very model, tokens and accelerator; it used one kind, and prints a speed and days for one model. */
function printedIn(published: PublishedRun | undefined, { name, count, arithmetic }: PlanReport["run"]["machine"]) {
  const isPapers = published !== undefined && name === "a100-80gb" && arithmetic !== "float32" && arithmetic !== "tf32";
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

function showLayouts({ layouts, run, plan }: PlanReport, print: Printer): string {
  if (layouts === undefined || "problem" in layouts) return `parallel layouts: none\n${print.note(layouts?.problem ?? "")}`;
  const { machine } = run;
  const rows = layouts
    .slice(0, shown)
    .map(
      (one): Row => [
        `${one.data}×${one.tensor}×${one.pipeline}`,
        shardings[one.sharding],
        short(one.bytes / 1e9),
        percent(one.bubble),
        percent(one.exchange),
        percent(one.communication),
        short(one.tokensPerSecond / machine.count),
        duration(plan.tokens / one.tokensPerSecond / 3600),
        kepts[one.kept],
      ],
    );
  const { length } = layouts;
  const title = `parallel layouts that fit${length > shown ? `, the fastest ${shown} of ${length}` : ", the fastest first"}`;
  const heads = [
    ...["data ×\ntensor ×\npipeline", "\nsharded\nover data", "\nGB\neach", "\n\nbubble", "tensor\nall-\nreduce", "\ndata\nexchange"],
    ...["\ntokens/s\neach", "\n\ntime", "\n\nkept"],
  ];
  const notes = [
    "bubble: share of the time in which a pipeline waits to be filled; tensor all-reduce: share of the time in which the parts of a tensor wait for each other's sums; data exchange: gradients and weights between replicas, over the computation that hides it up to 100 %",
    `sharded: "optimiser" is ZeRO-1, "gradients" ZeRO-2, "weights" ZeRO-3, each with what comes before it; kept: of activations, by activation checkpointing "most" where ${keptActivations.linear}, "few" where ${keptActivations.inputs}; a tenth of the memory stays free`,
    ...(machine.computation === undefined ? [] : [calibrated(machine.utilisation, machine.computation)]),
    ...(machine.isPublishedUtilisation && machine.computation === undefined ? [twiceCounted] : []),
    "sources: Narayanan et al. 2021, arXiv 2104.04473; Rajbhandari et al. 2019, arXiv 1910.02054; Korthikanti et al. 2022, arXiv 2205.05198",
  ];
  return print.table(title, [heads, ...rows]) + notes.map(print.note).join("");
}

/** The published run is the yardstick: its own layout costs it nothing more. */
function calibrated(whole: number, computation: number): string {
  return `the published ${percent(whole)} are of a whole run: computing alone had ${percent(computation)} in it, by its fastest layout's losses; each layout here loses its own share of that`;
}
const twiceCounted =
  "a published utilisation holds its own run's losses already: what is taken off here comes on top, so these speeds are cautious";
const kepts = { all: "all", linear: "most", inputs: "few" } as const satisfies Record<Kept, string>;
const shardings = ["nothing", "optimiser", "gradients", "weights"] as const;
