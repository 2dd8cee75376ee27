// Puts what studies found into docs/paper, plots and quotations: node tools/paper-results.mjs studies/norm/report.json studies/rope/report.json …
// A study's report comes from `cria study NAME --steps N`; each plot says which command made it, each quotation in its first line.
// A plot's data is kept beside its drawing; without a report all plots are drawn anew from their data.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { sectionText } from "../dist/cli/study.js";
import { studies } from "../dist/study/index.js";
import { drawPlots } from "./paper-plots.mjs";

const paper = join(dirname(fileURLToPath(import.meta.url)), "..", "docs", "paper");
const folder = join(paper, "plots");

/** study → a file name for each chart, by its title, that the pages show. */
const shown = {
  norm: {
    "gradient norm of the last layer's W_2 at initialisation": "norm-gradients",
    "Post-LN: gradient norm of each layer's parameters": "norm-layers-post",
    "Pre-LN: gradient norm of each layer's parameters": "norm-layers-pre",
    "held-out loss by learning rate": "norm-warmup",
  },
  activation: {
    "the functions": "activation-functions",
    "their derivatives": "activation-derivatives",
    "held-out loss: a dot per seed, a line for their mean": "activation-losses",
  },
  rope: { "RoPE by distance, 128 channels, relative to distance 0": "rope-decay", "loss by position, trained on 64": "rope-length" },
  bpe: { "bytes per token by vocabulary": "bpe-vocabulary", "answered exactly: a dot per seed, a line for their mean": "bpe-arithmetic" },
  scaling: { "loss by tokens, a colour per size": "scaling-law" },
};

mkdirSync(folder, { recursive: true });
for (const path of process.argv.slice(2)) {
  const report = JSON.parse(readFileSync(path, "utf8"));
  if (report.stopped) stop(`${path}: the study was stopped before its end: run it again`);
  const files = shown[report.study] ?? stop(`${path}: the pages show no study "${report.study}"`);
  const charts = new Map(report.sections.flatMap((section) => section.charts).map((chart) => [chart.title, chart]));
  for (const [title, name] of Object.entries(files)) {
    const chart = charts.get(title) ?? stop(`${path}: has no chart "${title}", only ${[...charts.keys()].join("; ")}`);
    writeFileSync(join(folder, `${name}.json`), `${JSON.stringify({ command: commandOf(report, ""), chart })}\n`);
  }
  for (const language of ["en", "zh"]) quoteIn(join(paper, language), report);
}
for (const [file, svg] of drawPlots(folder)) writeFileSync(file, svg);

/** The sections that the pages quote, with what this report says of them. A section has its title and verdict in a line, indented lines behind it. */
function quoteIn(pages, report) {
  const block = new RegExp(`^\`\`\`\n\\$ cria study ${report.study} .*\n[\\s\\S]*?^\`\`\`$`, "gm");
  for (const name of readdirSync(pages).filter((file) => file.endsWith(".md"))) {
    const path = join(pages, name);
    const text = readFileSync(path, "utf8");
    const quoted = text.replace(block, (old) => `\`\`\`\n$ ${commandOf(report, "--")}\n…\n${sectionsOf(old, report, path)}…\n\`\`\``);
    if (quoted === text) continue;
    writeFileSync(path, quoted);
    console.log(path);
  }
}

function sectionsOf(old, { sections }, path) {
  const titles = [...old.matchAll(/^(\S.*): (?:SHOWN|PARTLY SHOWN|NOT SHOWN|TOO SHORT TO SAY)$/gm)].map(([, title]) => title);
  return titles
    .map((title) => sectionText(sections.find((one) => one.title === title) ?? stop(`${path} quotes "${title}", which the report has not`)))
    .join("");
}

/** The seeds where they are not the study's own. */
function commandOf({ study, steps, minutes, seeds }, dashes) {
  const usual = studies.find(({ name }) => name === study).seeds;
  const others = seeds.length === usual && seeds[0] === 1 ? "" : ` ${dashes}seed ${seeds[0]} ${dashes}seeds ${seeds.length}`;
  return `cria study ${study} ${dashes}${steps === undefined ? `minutes ${minutes}` : `steps ${steps}`}${others}`;
}

function stop(message) {
  console.error(`[paper-results] ${message}`);
  process.exit(1);
}
