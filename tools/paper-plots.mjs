// Draws the plots of docs/paper from what studies wrote: node tools/paper-plots.mjs studies/norm/report.json studies/rope/report.json …
// A study's report comes from `cria study NAME --steps N`; each drawing says in a comment which command made it.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chartSvg } from "../dist/plot/index.js";

const folder = join(dirname(fileURLToPath(import.meta.url)), "..", "docs", "paper", "plots");

/** study → a file name for each chart, by its title, that the pages show. */
const shown = {
  norm: {
    "gradient norm of the last layer's W_2 at initialisation": "norm-gradients",
    "held-out loss by learning rate": "norm-warmup",
  },
  activation: { "the functions": "activation-functions", "held-out loss, one dot a seed": "activation-losses" },
  rope: { "RoPE by distance, 128 channels, relative to distance 0": "rope-decay", "loss by position, trained on 64": "rope-length" },
  bpe: { "bytes a token by vocabulary": "bpe-vocabulary", "answered exactly, one dot a seed": "bpe-arithmetic" },
  scaling: { "loss by tokens, a colour a size": "scaling-law" },
};

mkdirSync(folder, { recursive: true });
for (const path of process.argv.slice(2)) {
  const report = JSON.parse(readFileSync(path, "utf8"));
  const files = shown[report.study] ?? stop(`${path}: the pages show no study "${report.study}"`);
  const charts = new Map(report.sections.flatMap((section) => section.charts).map((chart) => [chart.title, chart]));
  for (const [title, name] of Object.entries(files)) {
    const chart = charts.get(title) ?? stop(`${path}: has no chart "${title}", only ${[...charts.keys()].join("; ")}`);
    const file = join(folder, `${name}.svg`);
    writeFileSync(file, `<!-- ${commandOf(report)} -->\n${chartSvg(chart)}\n`);
    console.log(file);
  }
}

function commandOf({ study, steps, minutes, seeds }) {
  // Two hyphens in a row end a comment in SVG.
  const length = steps === undefined ? `minutes ${minutes}` : `steps ${steps}`;
  return `cria study ${study}, ${length}, seed ${seeds[0]}, seeds ${seeds.length}`;
}

function stop(message) {
  console.error(`[paper-plots] ${message}`);
  process.exit(1);
}
