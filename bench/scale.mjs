// Does the cost of the whole recipe grow with its input alone, and in what memory? `node bench/scale.mjs [--megabytes 16,48] [--threads N] [--memory MB]
// [--model lid.176.ftz] [--dump FOLDER] [--work FOLDER] [--rows FILE.jsonl] [--plot FILE.svg]`
// Synthetic dumps (`synthetic-dump.mjs`) go through the paper's steps for Common Crawl, without its models of good pages, and FineWeb's, and become tokens, each
// in a process of its own. Rates are MB (10^6 bytes) of unpacked WET per second of processor time, of all threads together; memory is the most that the process
// had in use. Smaller dumps are the first files of larger ones: --dump names a folder that has them already; --rows keeps what was measured, and --plot draws all.
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { parseDataRecipe } from "../dist/corpus/index.js";
import { openAnyTokenizer } from "../dist/load/index.js";
import { prepareRecipe } from "../dist/pipeline/index.js";
import { loadPlots } from "../dist/plot/index.js";
import { hasTexts, writeDump } from "./synthetic-dump.mjs";

const program = fileURLToPath(import.meta.url);
const data = process.env.CRIA_DATA ?? fileURLToPath(new URL("../../shared/data", import.meta.url));
/** Bytes of text in a file of a dump, about. */
const fileMegabytes = 32;

const options = {
  ...{
    megabytes: { type: "string", default: "32,96" },
    threads: { type: "string" },
    memory: { type: "string" },
    model: { type: "string" },
  },
  ...{ dump: { type: "string" }, work: { type: "string" }, rows: { type: "string" }, plot: { type: "string" } },
};

export async function run(args = []) {
  const { values } = parseArgs({ args, options });
  if (!hasTexts()) return console.log("no data folder beside the checkout, of whose texts dumps are made");
  const folder = mkdtempSync(join(values.work ?? tmpdir(), "cria-scale-"));
  try {
    const rows =
      values.rows !== undefined && existsSync(values.rows) ? readFileSync(values.rows, "utf8").trim().split("\n").map(JSON.parse) : [];
    for (const megabytes of values.megabytes.split(",").filter(Boolean).map(Number)) {
      const row = measured(megabytes, folder, values);
      tell(row);
      rows.push(row);
      if (values.rows !== undefined) appendFileSync(values.rows, `${JSON.stringify(row)}\n`);
    }
    if (values.plot !== undefined) await draw(rows, values.plot);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What a dump of a size costs, in another process. */
function measured(megabytes, folder, { dump = join(folder, "dump"), threads, memory, model }) {
  const files = Math.ceil(megabytes / fileMegabytes);
  const names = Array.from({ length: files }, (_, i) => `synthetic-${String(i).padStart(5, "0")}.warc.wet.gz`);
  for (const [i, name] of names.entries())
    if (!existsSync(join(dump, name))) writeDump(dump, { megabytes: files * fileMegabytes, fileMegabytes, from: i, to: i + 1 });
  const place = join(folder, String(megabytes));
  mkdirSync(join(place, "crawl"), { recursive: true });
  for (const name of names) symlinkSync(resolve(dump, name), join(place, "crawl", name));
  const asked = {
    place,
    ...(threads && { threads: Number(threads) }),
    ...(memory && { memory: 1e6 * Number(memory) }),
    ...(model && { model: resolve(model) }),
  };
  const { stdout, status } = spawnSync(process.execPath, [program, "--measure", JSON.stringify(asked)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (status !== 0) throw new Error(`the process that was measured ended with ${status}`);
  const packedBytes = names.reduce((sum, name) => sum + statSync(join(dump, name)).size, 0);
  rmSync(place, { recursive: true });
  return { packedBytes, ...JSON.parse(stdout) };
}

/** The steps of the paper's recipe for Common Crawl that need no model of good pages, and FineWeb's. */
function stepsWith(model) {
  const language = model === undefined ? [] : [{ language: { model, languages: ["en"], minScore: 0.5, lineEnds: "deleted" } }];
  return [
    { length: { minCharacters: 300 } },
    { dedupLines: { keep: "none", groups: 33 } },
    ...language,
    "gopherRepetition",
    "gopherQuality",
    { c4Quality: { minWords: 3, minSentences: 5, lineEnds: [], dropsEllipses: false } },
    "finewebQuality",
    "dedupNear",
    "maskPersonal",
  ];
}

/** Cleans and prepares a dump, in this process. */
async function measure({ place, threads, memory, model }) {
  const recipe = parseDataRecipe({ sources: [{ name: "crawl", paths: "crawl/*.wet.gz", steps: stepsWith(model) }], heldOut: 0.001 });
  const meter = new PhaseMeter();
  const work = join(place, "work");
  const options = { folder: place, work, threads, memory, progress: ({ task }) => meter.hear(/phase/.test(task) ? task : "tokens") };
  const tokenizer = await openAnyTokenizer(join(data, "conformance/openllama-tokenizer/tokenizer.model"));
  const { cleaned, manifest } = await prepareRecipe(recipe, tokenizer, join(place, "out"), options);
  meter.hear("tokens");
  const [{ report }] = cleaned;
  const steps = report.steps.map(({ name, out }) => ({ name, documents: out.documents, bytes: out.bytes }));
  const [source] = manifest.sources;
  return {
    ...{
      documents: report.read.documents,
      bytes: report.read.bytes,
      phases: meter.phases(),
      steps,
      tokens: source.tokens,
      workBytes: bytesIn(work),
    },
    peakBytes: Math.max(...meter.phases().map(({ peakBytes }) => peakBytes)),
  };
}

/** Processor time and memory by phase, whose last event comes when it ends. */
class PhaseMeter {
  #phases = new Map();
  #name = "";
  #last = { seconds: 0, at: performance.now() };

  hear(name) {
    if (name !== this.#name) {
      this.#begin(name);
      this.#name = name;
    }
    const { user, system } = process.cpuUsage();
    const phase = this.#phases.get(name);
    phase.seconds = (user + system) / 1e6 - phase.before.seconds;
    phase.wall = (performance.now() - phase.before.at) / 1000;
    phase.peakBytes = peakBytes();
    this.#last = { seconds: (user + system) / 1e6, at: performance.now() };
  }

  #begin(name) {
    this.#phases.set(name, { name, before: this.#last });
    // What was the peak of the phase before is none of this one's: clear_refs sets it back.
    if (this.#name !== "" && existsSync("/proc/self/clear_refs")) writeFileSync("/proc/self/clear_refs", "5");
  }

  phases() {
    return [...this.#phases.values()].map(({ before, ...phase }) => phase);
  }
}

function peakBytes() {
  const path = "/proc/self/status";
  if (!existsSync(path)) return 1024 * process.resourceUsage().maxRSS;
  return 1024 * Number(/VmHWM:\s*(\d+)/.exec(readFileSync(path, "utf8"))[1]);
}

function bytesIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
}

function tell({ documents, bytes, packedBytes, phases, steps, tokens, workBytes, peakBytes }) {
  const [mb, seconds] = [bytes / 1e6, phases.reduce((sum, phase) => sum + phase.seconds, 0)];
  console.log(
    `${mb.toFixed(0)} MB of text in ${(packedBytes / 1e6).toFixed(0)} MB, ${documents} pages: ${(mb / seconds).toFixed(2)} MB/s of a core`,
  );
  console.log(
    `  ${tokens} tokens; at most ${(peakBytes / 1e6).toFixed(0)} MB of memory, ${(workBytes / 1e6).toFixed(0)} MB of intermediate files`,
  );
  for (const { name, seconds, wall, peakBytes } of phases)
    console.log(
      `  ${name.padEnd(30)} ${seconds.toFixed(1).padStart(7)} s ${(mb / seconds).toFixed(1).padStart(7)} MB/s ${(seconds / wall).toFixed(2).padStart(6)} cores ${(peakBytes / 1e6).toFixed(0).padStart(6)} MB`,
    );
  for (const step of steps)
    console.log(`  ${step.name.padEnd(20)} ${percent(step.documents / documents)} of pages, ${percent(step.bytes / bytes)} of text stay`);
}

function percent(share) {
  return `${(100 * share).toFixed(1)} %`.padStart(7);
}

/** Processor time and memory over the size of the input, both against lines through nothing. */
async function draw(rows, path) {
  const { chartSvg } = await loadPlots();
  const sizes = rows.map(({ bytes }) => bytes / 1e9);
  const costs = rows.map(({ phases }) => phases.reduce((sum, { seconds }) => sum + seconds, 0));
  const rate = sizes.reduce((sum, size) => sum + size, 0) / costs.reduce((sum, cost) => sum + cost, 0);
  const ticks = [0.03, 0.1, 0.3, 1, 3, 10].filter((tick) => tick >= 0.5 * Math.min(...sizes) && tick <= 2 * Math.max(...sizes));
  const chart = {
    kind: "lines",
    title: "What the recipe costs, by the size of its input",
    x: { label: "GB of WET, unpacked", scale: "log", ticks },
    y: { label: "seconds of processor time", scale: "log" },
    series: [
      { name: "measured", as: "dots", points: sizes.map((x, i) => ({ x, y: costs[i] })) },
      { name: "in proportion", as: "dashed", points: sizes.map((x) => ({ x, y: x / rate })) },
    ],
  };
  writeFileSync(path, await chartSvg(chart));
}

if (process.argv[1] === program) {
  const [first, asked] = process.argv.slice(2);
  if (first === "--measure") console.log(JSON.stringify(await measure(JSON.parse(asked))));
  else await run(process.argv.slice(2));
}
