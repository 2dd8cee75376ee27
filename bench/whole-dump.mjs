// How long does a whole dump take, and what does it need? `node bench/whole-dump.mjs [--cores N] [--bandwidth BYTES] [--files N] [--packed BYTES] …`
// prints the plan of docs/guide/whole-dump.md from rates per core, which stand in bench/whole-dump.json. `--measure RECIPE.yaml --tokenizer TOKENIZER` measures
// them anew on the recipe's files, by one thread, phase by phase, and prints them as JSON; `--rates FILE` takes them from there. The recipe's one source should
// have files of the dump, or of bench/synthetic-dump.mjs.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { slicesOf } from "../dist/pipeline/compare.js";
import { cleanedTexts, openRecipeJob, openSources, phasesOf, runPhases, TokenPhase } from "../dist/pipeline/index.js";
import { tableBytesOf, taskBytesOf } from "../dist/pipeline/memory.js";
import { comparisonOf } from "../dist/pipeline/phases.js";

/**
 * Cores, those of a machine and its memory, of which models take their part once; bytes and opened files per second of the shared file system; files and bytes
 * of the dump as its host publishes them, bytes of text per packed byte and bytes that are kept, as papers say.
 */
export const usual = {
  ...{ cores: 1000, machineCores: 16, machineMemory: 32e9, models: 6e9, bandwidth: 10e9, opens: 100_000 },
  ...{ files: 72_000, packed: 8.63 * 2 ** 40, unpacking: 2.5, kept: 660e9 },
};
const ratesFile = fileURLToPath(new URL("whole-dump.json", import.meta.url));

export async function run(args = []) {
  const numbers = Object.fromEntries(Object.keys(usual).map((name) => [name, { type: "string" }]));
  const texts = { rates: { type: "string", default: ratesFile }, measure: { type: "string" }, tokenizer: { type: "string" } };
  const { values } = parseArgs({ args, options: { ...numbers, ...texts } });
  if (values.measure !== undefined) return console.log(JSON.stringify(await measure(values.measure, values.tokenizer), null, 2));
  const asked = Object.entries(usual).map(([name, value]) => [name, values[name] === undefined ? value : Number(values[name])]);
  console.log(await planText(JSON.parse(readFileSync(values.rates, "utf8")), Object.fromEntries(asked)));
}

/** What each phase of a recipe takes on its files: seconds of the processor, and bytes that it writes. */
async function measure(path, tokenizerPath) {
  const { readDataRecipe } = await import("../dist/cli/recipe-kinds.js");
  const { openAnyTokenizer } = await import("../dist/load/index.js");
  const io = {
    json: true,
    stderr: () => {},
    stdout: () => {},
    progress: () => {},
    signal: new AbortController().signal,
    caller: { cria: "cria" },
  };
  const recipe = await readDataRecipe(path, "bench", io);
  const tokenizer = await openAnyTokenizer(tokenizerPath, {});
  const work = mkdtempSync(join(tmpdir(), "cria-whole-dump-"));
  try {
    const opened = await openRecipeJob(recipe, { folder: dirname(path), work });
    const { job, sources } = opened;
    const place = join(work, job.sources[0].name, job.sources[0].id);
    const phases = [];
    for (const [phase, { kind, stage, tasks }] of phasesOf(sources).entries()) {
      const seconds = await secondsOf(() => runPhases(job, { phase, threads: 1 }, sources));
      phases.push({
        kind,
        stage,
        tasks: tasks.length,
        seconds,
        written: bytesByEnding(join(place, `${kind}-${stage}`)),
      });
    }
    const tokens = await TokenPhase.open(recipe, opened, tokenizer, { folder: dirname(path), threads: 1 });
    const seconds = await secondsOf(() => tokens.run());
    await tokens[Symbol.asyncDispose]();
    const made = readdirSync(place).find((name) => name.startsWith("tokens-"));
    const { read, kept, left } = await countsOf(job, sources);
    const input = { files: job.sources[0].files.length, packed: sum(job.sources[0].files.map(({ bytes }) => bytes)), ...read };
    const on = `${new Date().toISOString().slice(0, 10)}, ${cpus()[0].model}, Node ${process.versions.node}`;
    return { on, steps: job.sources[0].steps, input, kept, left, phases, tokens: { seconds, written: bytesByEnding(join(place, made)) } };
  } finally {
    rmSync(work, { recursive: true });
  }
}

async function countsOf(job, sources) {
  const [{ report }] = await cleanedTexts(job, sources);
  const left = Object.fromEntries(report.steps.map(({ name, out }) => [name, out.bytes / report.read.bytes]));
  return { read: report.read, kept: report.kept, left };
}

async function secondsOf(action) {
  const started = process.cpuUsage();
  await action();
  const { user, system } = process.cpuUsage(started);
  return (user + system) / 1e6;
}

/** Bytes of a folder's files by the endings of their names. */
function bytesByEnding(folder) {
  const bytes = {};
  for (const name of readdirSync(folder, { recursive: true })) {
    const stats = statSync(join(folder, name));
    if (stats.isFile()) bytes[extname(name)] = (bytes[extname(name)] ?? 0) + stats.size;
  }
  return bytes;
}

const sum = (numbers) => numbers.reduce((total, one) => total + one, 0);

/** The phases as Markdown, and what a machine needs. */
export async function planText(rates, dump) {
  const rows = await planRows(rates, dump);
  const total = (key) => sum(rows.map((row) => row[key]));
  const line = ({ name, tasks, coreHours, hours, bound, read, written, opened }) =>
    `| ${name} | ${count(tasks)} | ${count(coreHours)} | ${hours.toFixed(1)} | ${bound} | ${size(read)} | ${size(written)} | ${count(opened)} |`;
  return [
    "| phase | tasks | core hours | hours | bound by | read | written | files opened |",
    "|---|---|---|---|---|---|---|---|",
    ...rows.map(line),
    `| all | | ${count(total("coreHours"))} | ${total("hours").toFixed(1)} | | ${size(total("read"))} | ${size(total("written"))} | ${count(total("opened"))} |`,
    "",
    ...needs(dump, rows),
  ].join("\n");
}

/** What each phase of the recipe's source takes for the dump: everything that was measured grows with the text that the phase reads. */
async function planRows(rates, dump) {
  const { cores, files, packed, unpacking, kept } = dump;
  const { input, phases, tokens } = rates;
  const text = packed * unpacking;
  const grown = text / input.bytes;
  const [first, compare, second] = phases;
  const { groups, partitions, slices } = await comparisonOfLines(rates, dump);
  const documents = grown * first.written[".jsonl"];
  const keys = grown * first.written[".keys"];
  const marks = grown * compare.written[".compared"];
  const keptGrown = kept / rates.kept.bytes;
  const cleaned = keptGrown * second.written[".jsonl"];
  const others = (written) =>
    sum(Object.entries(written).map(([ending, bytes]) => (ending === ".json" ? (bytes * files) / input.files : 0)));
  const meter = (grown * rates.left.language * input.bytes) / (1e6 * rates.perplexity.megabytesPerSecond);
  const row = ({ seconds, ...rest }) => {
    const { bandwidth, opens } = dump;
    const takes = {
      cores: seconds / Math.min(cores, rest.tasks),
      bytes: (rest.read + rest.written) / bandwidth,
      opens: rest.opened / opens,
    };
    const [bound, longest] = Object.entries(takes).reduce((most, one) => (one[1] > most[1] ? one : most));
    return { ...rest, coreHours: seconds / 3600, hours: longest / 3600, bound };
  };
  const tokenTasks = Math.ceil(packed / 2 ** 33);
  return [
    row({
      name: "0 pass: reading, length, keys of lines",
      tasks: files,
      seconds: grown * first.seconds,
      read: packed,
      written: documents + keys + others(first.written),
      opened: 5 * files,
    }),
    row({
      name: "1 compare: lines within groups",
      tasks: groups * partitions,
      seconds: grown * compare.seconds * slices,
      read: 2 * slices * keys,
      written: marks,
      opened: files * partitions * (1 + 2 * slices),
    }),
    row({
      name: "2 pass: lines, language, perplexity, classifier",
      tasks: files,
      seconds: grown * second.seconds + meter,
      read: documents + files * partitions * (4 + (4 * files) / groups) + marks,
      written: cleaned + others(second.written),
      opened: files * (2 * partitions + 4),
    }),
    row({
      name: "3 tokens",
      tasks: tokenTasks,
      seconds: keptGrown * tokens.seconds,
      read: 2 * cleaned,
      written: keptGrown * sum(Object.values(tokens.written)),
      opened: 2 * files,
    }),
    row({
      name: "joining and reports",
      tasks: 1,
      seconds: 4 * files * 5e-4,
      read: others(first.written) + others(second.written),
      written: 0,
      opened: 4 * files,
    }),
  ];
}

/** How the lines of the dump are compared, by the code that does it, and how often a partition is read for the memory that a machine has. */
async function comparisonOfLines(rates, dump) {
  const { files, packed, unpacking, machineCores, machineMemory, models } = dump;
  const taskBytes = taskBytesOf(machineMemory);
  const parts = Array.from({ length: files }, () => ({ file: 0, bytes: packed / files }));
  const steps = rates.steps.filter((entry) => typeof entry === "object" && "dedupLines" in entry);
  const source = { name: "dump", paths: [], files: [{ name: "dump.wet.gz" }], text: {}, parts, steps, stepFiles: [] };
  const [opened] = await openSources({ rules: 1, folder: ".", base: ".", stretchBytes: 2 ** 26, taskBytes, sources: [source] });
  const comparison = comparisonOf(opened.stages[0].behind.step, files, opened.partitions);
  const keys = (packed * unpacking * rates.phases[0].written[".keys"]) / 8 / rates.input.bytes / comparison.groups / comparison.partitions;
  const tableBytes = tableBytesOf(machineCores, { memory: machineMemory, taskBytes, models });
  return { ...comparison, keys, tableBytes, slices: slicesOf(keys, 9, tableBytes).slices };
}

function needs(dump, rows) {
  const { cores, machineCores, machineMemory, files, packed, unpacking } = dump;
  const machines = Math.ceil(cores / machineCores);
  const busiest = Math.max(...rows.map(({ read, written, hours }) => (read + written) / hours / 3600));
  const disk = packed + sum(rows.map(({ written }) => written));
  return [
    `- ${count(machines)} machines of ${machineCores} cores with ${size(machineMemory)} of memory, of which models take ${size(dump.models)} once and each thread may take ${size((machineMemory - dump.models) / machineCores)}`,
    `- a network that carries ${size(busiest / machines)} per second to and from each machine, ${size(busiest)} in all`,
    `- ${size(packed)} of packed input, ${size(packed * unpacking)} of text in ${count(files)} files; at the end ${size(disk)} lie on the shared file system, of which ${size(rows[3].written)} are tokens and the rest may go`,
    `- ${count(5 * files + 3 * files + rows[1].tasks + 3 * rows[3].tasks)} files, at most ${count(500)} in a folder`,
  ];
}

const count = (number) => (number < 10 ? String(Math.ceil(number)) : Number(number.toPrecision(2)).toLocaleString("en-US"));

function size(bytes) {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  const unit = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  return `${Number((bytes / 1000 ** unit).toPrecision(2))} ${units[unit]}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await run(process.argv.slice(2));
