import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { llamaConfig, parameterCount } from "../model/index.ts";
import { laws, lossOf } from "../plan/index.ts";
import { writeRecipe } from "../runs/index.ts";
import { completeRecipe, parseRecipe } from "../train/index.ts";
import { commandRows } from "./commands.ts";
import { runWords } from "./terminal.test.helper.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-plan-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** So wide that no line wraps. */
function cria(...words: string[]) {
  return runWords(["plan", ...words], commandRows, { width: 1000 });
}

async function json(...words: string[]) {
  const { code, stdout, stderr } = await cria(...words, "--json");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout);
}

test("without flags it says what it answers and shows an example", async () => {
  const { code, stdout } = await cria();
  expect(code).toBe(0);
  expect(stdout).toMatch(/^cria plan answers/);
  expect(stdout).toMatch(/plan: the cheapest life that the budget pays for\n {2}parameters N +3\.48B/);
  expect(stdout).toMatch(/Besiroglu refit +10\.1B +204B/);
  expect(stdout).toMatch(/than the compute-optimal 8\.24B; from 418B served tokens on it is the cheaper of the two/);
  expect((await json()).serving.served).toBe(2e12);
});

test("the paper's 65B: its speed, its days, its utilisation, and where each number is from", async () => {
  const { stdout } = await cria("--preset", "65B", "--gpus", "2048", "--gpu", "a100-80gb");
  for (const line of [
    /parameters +65,285,660,672 +exactly/,
    /utilisation \(MFU\) +49\.7 % +of the peak: LLaMA-65B: 380 tokens\/s\/GPU/,
    /speed +380 tokens\/s +each; the paper: 380/,
    /time +20\.8 days +D \/ speed; the paper: about 21 days/,
    /carbon +173 t CO2eq .*the paper: 173/,
    /256×8×1 +optimiser +\S+ +0 % +9\.3 % +26\.6 % +380 +20\.8 days/,
    /the published 49\.7 % are of a whole run: computing alone had 54\.8 % in it/,
    /numbers of the board: NVIDIA A100 data sheet/,
    /6·N·D \(Kaplan et al\. 2020\)/,
  ])
    expect(stdout).toMatch(line);
  const said = await json("--preset", "65B", "--gpus", "2048", "--utilisation", "0.4");
  expect(said.run.utilisation).toBeCloseTo(0.4, 6);
});

test("what the paper prints stands beside its own accelerator, model and number of them only", async () => {
  const notes = async (...words: string[]) => (await cria(...words)).stdout.match(/the paper: [^\n]+/g) ?? [];
  expect(await notes("--preset", "65B", "--gpu", "h100-sxm", "--gpus", "2048")).toEqual([]);
  expect(await notes("--preset", "65B", "--tokens", "1T")).toEqual([]);
  expect(await notes("--preset", "65B", "--gpus", "1024")).toHaveLength(4);
  expect(await notes("--preset", "7B")).toEqual(["the paper: 82,432", "the paper: 36", "the paper: 14"]);
});

test("each number says where it is from: the person, the model, the paper, the budget, the law or 6·N·D", async () => {
  const lines = async (...words: string[]) => (await cria(...words)).stdout.split("\n").slice(0, 7).join("\n");
  const given = await lines("--parameters", "3B", "--tokens", "1T");
  expect(given).toMatch(/parameters N +3B +as given\n +tokens D +1T +as given; 333 per parameter/);
  const paper = await lines("--preset", "13B");
  expect(paper).toMatch(/parameters N +13B +13B\n +tokens D +1T +as in the paper; .*\n +operations +7\.81e22 +6·N·D/);
  const loss = await lines("--loss", "2.1");
  expect(loss).toMatch(
    /parameters N +13\.4B +by the law below\n +tokens D +267B +by the law below; .*\n.*\n +loss +2\.100 +as given; nats/,
  );
  const both = await lines("--flops", "1e22", "--parameters", "7B");
  expect(both).toMatch(/tokens D +238B +operations \/ 6·N; .*\n +operations +1\.00e22 +as given; 6·N·D/);
  expect(await lines("--flops", "1e22", "--tokens", "1T")).toMatch(/parameters N +1\.67B +operations \/ 6·D/);
  expect(await lines("--money", "1M")).toMatch(/operations +\S+ +what the budget pays for; 6·N·D/);
  const { plan } = await json("--preset", "7B", "--loss", "2.1");
  expect(plan.from).toEqual({ parameters: "model", tokens: "law", flops: "arithmetic", loss: "given" });
});

test("LLaMA-7B is far beyond compute-optimal, and it is said when that pays", async () => {
  const { plan, serving } = await json("--preset", "7B");
  expect(plan.timesTwenty).toBeGreaterThan(7);
  expect(plan.timesOptimal).toBeGreaterThan(7);
  expect(serving.breakEven.served / 694e9).toBeCloseTo(1, 2);
  expect((await cria("--preset", "7B")).stdout).toMatch(
    /takes 1\.21e22 operations more to train than the compute-optimal 15\.4B; from 694B served tokens on/,
  );
});

test.each([
  [["--gpu-hours", "1M", "--gpu", "h100-sxm"], 1e6],
  [["--hours", "500", "--gpu", "h100-sxm", "--gpus", "2000"], 1e6],
  [["--money", "2e6", "--price", "2", "--gpu", "h100-sxm"], 1e6],
])("a budget of %j is used up, attention included", async (words, hours) => {
  const { run } = await json(...words);
  expect(run.acceleratorHours / hours).toBeCloseTo(1, 6);
});

test.each([
  ["hours", ["--hours", "500", "--gpu", "h100-sxm", "--gpus", "2048"], 500],
  ["acceleratorHours", ["--gpu-hours", "82432", "--gpus", "256", "--serve-tokens", "1T"], 82432],
  ["cost", ["--money", "1M", "--gpu", "rtx-4090", "--gpus", "512", "--tokens", "300B"], 1e6],
  ["cost", ["--money", "200k", "--gpu", "v100", "--gpus", "64", "--preset", "7B"], 2e5],
  ["hours", ["--hours", "24", "--gpu", "a100-40gb", "--gpus", "8", "--parameters", "1.3B"], 24],
] as const)("what the best layout costs comes out of a budget of %s too: %j", async (name, words, budget) => {
  const { run, layouts, plan } = await json(...words);
  expect(run[name] / budget).toBeCloseTo(1, 6);
  expect(run.tokensPerSecond * run.machine.count).toBe(layouts[0].tokensPerSecond);
  expect(run.hours).toBeCloseTo(plan.tokens / layouts[0].tokensPerSecond / 3600, 6);
});

test("a budget is not exceeded for what is to be served: its cheapest life, and what the compute-optimal loss would take", async () => {
  const { plan, flops, serving } = await json("--flops", "1.23e22", "--serve-tokens", "2T");
  expect(plan.flops / 1.23e22).toBeCloseTo(1, 9);
  expect(flops).toBe(1.23e22);
  expect(serving.loss).toBe(plan.loss);
  expect(serving.cheapest.parameters / plan.parameters).toBeCloseTo(1, 5);
  expect(serving.budgetOptimum.optimum.loss).toBeLessThan(plan.loss);
  expect((await cria("--flops", "1.23e22", "--serve-tokens", "2T")).stdout).toMatch(
    /not to lose to the budget's compute-optimal 10\.1B model, loss 2\.129, the cheapest is 4\.45B on 648B tokens, 1\.41 times the budget/,
  );
  const bound = await json("--loss", "2.1", "--serve-tokens", "1T");
  expect(bound.plan).toMatchObject({ because: "the cheapest life at the loss", loss: expect.closeTo(2.1, 9) });
  expect(bound.serving.budgetOptimum).toBeUndefined();
  const sized = await json("--flops", "1e22", "--parameters", "7B", "--serve-tokens", "1T");
  expect(sized.plan).toMatchObject({ because: "decided by the parameters and the budget", parameters: 7e9 });
});

test("a number of accelerators that no layout fits is said, and the rest stands", async () => {
  const { code, stdout } = await cria("--preset", "65B", "--gpus", "4", "--gpu", "v100");
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /training on 4 × v100, leaving aside that no layout works there \(below\)\n[\s\S]*parallel layouts: none\n {2}the model does not fit 4 × v100/,
  );
});

test("the plot: curves, the budget's line, optima and LLaMA's models, in the terminal and as a file", async () => {
  const path = join(folder, "plan.svg");
  const { stdout } = await cria("--flops", "1.23e22", "--serve-tokens", "2T", "--plot", "--svg", path);
  for (const part of ["· loss", "╌ 1.23e22 operations", "■ compute-optimal: Hoffmann", "this plan: the cheapest life", "7B", "65B", path])
    expect(stdout).toContain(part);
  const lines = stdout.split("\n");
  expect(Math.max(...lines.filter((line) => line.includes("│")).map((line) => line.length))).toBeLessThanOrEqual(100);
  const svg = await readFile(path, "utf8");
  for (const part of ["<svg", ">65B<", "this plan", "cheapest life"]) expect(svg).toContain(part);
  for (const place of [join(folder, "no", "such", "plan.svg"), folder, join(path, "plan.svg")])
    expect(await cria("--flops", "1e22", "--svg", place)).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringContaining("--svg is"),
    });
});

test("the plan's point lies on the budget's line and on the curve of its loss", async () => {
  const { planChart } = await import("./plan/chart.ts");
  const report = await json("--flops", "1.23e22", "--serve-tokens", "2T");
  const { series } = planChart(report);
  const [{ x, y }] = series.find(({ name }) => name === "this plan: the cheapest life")!.points as [{ x: number; y: number }];
  expect(x * y * 6).toBeCloseTo(1.23e22, -14);
  for (const line of [
    series.find(({ as }) => as === "dashed")!,
    series.find(({ name }) => name === `loss ${report.plan.loss.toFixed(2)}`)!,
  ]) {
    const [before, after] = [line.points.findLast((point) => point.x <= x)!, line.points.find((point) => point.x > x)!];
    expect(y).toBeLessThanOrEqual(before.y);
    expect(y).toBeGreaterThanOrEqual(after.y);
  }
});

test("where the law is extrapolated, or says what no trained model has, the plan says so", async () => {
  const warnings = async (...words: string[]) => (await json(...words)).warnings;
  const range = "Besiroglu refit was fitted to models of 70M to 16B parameters on 5B to 500B tokens: here it is extrapolated in";
  expect(await warnings("--parameters", "2M", "--tokens", "10B")).toEqual([`${range} N`]);
  expect(await warnings("--preset", "7B")).toEqual([`${range} D`]);
  expect(await warnings("--parameters", "7B", "--tokens", "140B")).toEqual([]);
  expect(await warnings("--parameters", "1T", "--tokens", "1")).toEqual([
    `${range} N and D`,
    expect.stringMatching(/^a loss of 2,087 is above ln\(32,000\) = 10\.4/),
  ]);
  expect((await cria("--parameters", "2M")).stdout.startsWith(`${range} N and D\n\nplan: `)).toBe(true);
});

test("what takes next to nothing is in units of which there is one", async () => {
  const { stdout } = await cria("--preset", "5M", "--tokens", "100M", "--gpu", "rtx-4090");
  for (const line of [/energy +\d+(\.\d+)? Wh /, /carbon +\d+(\.\d+)? g CO2eq /, /cost +(under )?\$0\.\d/]) expect(stdout).toMatch(line);
  expect((await cria("--preset", "7B")).stdout).toMatch(/energy +34\.4 MWh .*\n +carbon +13\.2 t CO2eq /);
});

test("a shape that is not of the plan's very size says how far it is off", async () => {
  expect((await cria("--flops", "1.23e22", "--serve-tokens", "2T")).stdout).toMatch(
    /parameters +3,594,181,632 +exactly \(3\.25 % more than the plan\)/,
  );
  expect((await cria("--preset", "7B")).stdout).toMatch(/parameters +6,738,415,616 +exactly\n/);
});

test.each([
  ["not a number", ["--flops", "many"], /--flops is "many" but must be above 0 and at most 1e\+40/],
  ["zero", ["--tokens", "0"], /--tokens is "0"/],
  ["endless", ["--flops", "1e999"], /--flops is "1e999"/],
  ["negative hours", ["--hours=-3"], /--hours is "-3"/],
  ["two budgets", ["--flops", "1e22", "--hours", "3"], /--flops and --hours are both budgets/],
  ["two models", ["--preset", "7B", "--parameters", "7B"], /--preset and --parameters both name a model/],
  ["three numbers", ["--flops", "1e22", "--parameters", "7B", "--tokens", "1T"], /two of them decide the rest/],
  ["nothing to plan by", ["--gpu", "h200"], /there is nothing to plan by/],
  ["a law that is none", ["--flops", "1e22", "--law", "hofmann"], /did you mean "hoffmann"/],
  ["arithmetic that is none", ["--flops", "1e22", "--arithmetic", "bf17"], /did you mean "bf16"/],
  ["an unknown accelerator", ["--flops", "1e22", "--gpu", "h100"], /no accelerator "h100", did you mean "h100-sxm"\?: there are /],
  ["arithmetic that a board has not", ["--flops", "1e22", "--gpu", "v100", "--arithmetic", "bf16"], /v100 has no bf16 products/],
  ["arithmetic that this machine has not", ["--hours", "3", "--arithmetic", "tf32"], /this machine trains in float32 or bf16/],
  ["an unknown preset", ["--preset", "8B"], /--preset is "8B", did you mean "7B"/],
  ["sequences beyond the context", ["--preset", "7B", "--length", "4096"], /length is 4096 but the model's context 2048/],
  ["a preset as a path", ["7b"], /there is no file or folder "7b": did you mean --preset 7B\?/],
  ["a picture that is no SVG", ["--flops", "1e22", "--svg", "x.png"], /--svg is "x\.png" but what is written is SVG: name it x\.svg/],
  ["thousands apart in twos", ["--tokens", "1,000,00"], /--tokens is "1,000,00" but must be above 0 and at most 1e\+40, such as 1\.4T/],
  ["half an accelerator", ["--preset", "7B", "--gpus", "1.5"], /--gpus is "1\.5" but must be an integer, at least 1, such as 2,048/],
  ["hours of nobody", ["--fit", "a", "--gpu-hours", "3"], /--gpu-hours are hours of an accelerator: name it with --gpu/],
  ["no runs", ["--fit"], /--fit has no runs/],
  ["a run named twice", ["--fit", "a", "b", "./a"], /\.\/a is named twice/],
  ["two laws", ["--fit", "a", "--law", "hoffmann"], /--fit finds a law and --law names one/],
  ["accelerators without a name", ["--hours", "3", "--gpus", "4"], /--gpus counts accelerators/],
  ["accelerators without a name, from runs", ["--fit", "a", "--gpus", "4"], /--gpus counts accelerators/],
  ["a step that nothing divides", ["--flops", "1e22", "--batch-tokens", "1024"], /--batch-tokens is what --gpus share/],
  ["utilisation above 1", ["--flops", "1e22", "--utilisation", "50"], /--utilisation is "50" but must be from 0.000001 to 1, such as 0\.4/],
])("%s is wrong usage", async (_, words, message) => {
  expect(await cria(...words)).toMatchObject({ code: 2, stdout: "", stderr: expect.stringMatching(message) });
});

test.each([
  ["a model that is not there", ["nowhere"], /nowhere/],
  ["a loss below E", ["--loss", "1.5"], /1\.5 is not above 1\.8172/],
  ["a size beyond all", ["--parameters", "1e20"], /parameters is 1\.00e20, where plans are for 10k to 10T/],
  ["a budget of nothing", ["--flops", "1e10"], /flops 1\.00e10 calls for a model of 6\.38k parameters, .*: raise flops \(--flops\)/],
  ["a loss of nothing", ["--loss", "100"], /loss 100 calls for a model of 663 parameters, .*: lower loss \(--loss\)/],
  ["too much", ["--flops", "1e30", "--tokens", "1k"], /together call for .*: lower flops or raise tokens \(--flops, --tokens\)/],
  ["a run that is not there", ["--fit", "nowhere"], /nowhere holds no training run, there is no train\.yaml in it/],
])("%s is refused", async (_, words, message) => {
  expect(await cria(...words)).toMatchObject({ code: 1, stdout: "", stderr: expect.stringMatching(message) });
});

test.each([
  [
    ["--flops", "1e22", "--gpus", "2048", "--batch-tokens", "4,194,304"],
    ["--flops", "1e22", "--gpus", "2,048"],
  ],
  [
    ["--money", "$50,000"],
    ["--money", "50k"],
  ],
  [
    ["--tokens", "1,000,000"],
    ["--tokens", "1_000_000"],
  ],
  [
    ["--gpu-hours", "82,432.5", "--price", "$1.80", "--watts", "0.4k"],
    ["--gpu-hours", "82432.5"],
  ],
])("%j and %j are the same numbers", async (words, others) => {
  const [{ plan, layouts }, other] = [await json(...words), await json(...others)];
  expect({ plan, layouts }).toEqual({ plan: other.plan, layouts: other.layouts });
});

test.each([
  [["--flops", "1.23e22", "--serve-tokens", "2T", "--plot"]],
  [["--preset", "65B", "--gpus", "2048", "--gpu", "h100-sxm", "--serve-tokens", "1T"]],
  [[]],
])("no line of %j is longer than a terminal of 80 columns is wide", async (words) => {
  const { stdout } = await runWords(["plan", ...words], commandRows, { width: 80 });
  expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
});

test("what a machine's numbers do not hold for is said beside them", async () => {
  const notes = async (...words: string[]) => (await json(...words, "--gpu", "a100-80gb")).run.notes;
  expect(await notes("--preset", "15M")).toEqual([expect.stringMatching(/does not hold for one of 8\.34M parameters/)]);
  expect(await notes("--preset", "15M", "--utilisation", "0.1")).toEqual([]);
  expect(await notes("--preset", "65B")).toEqual([
    expect.stringMatching(/take 1,045 GB and do not fit the 80 GB of one a100-80gb: count several/),
  ]);
  expect(await notes("--preset", "65B", "--gpus", "2048")).toEqual([]);
  expect((await cria("--preset", "15M")).stdout).toMatch(/8\.34M +15M: the name counts a vocabulary of 32,000, the preset has 4,096\n/);
});

test("a utilisation measured in 16 bits is a guess in others", async () => {
  const { stdout } = await cria("--preset", "65B", "--gpus", "2048", "--arithmetic", "tf32");
  expect(stdout).toMatch(/before the layout's losses\): a guess: measured in bf16, LLaMA-65B/);
  expect(stdout).not.toMatch(/the paper:|a published utilisation|whole run/);
});

test("a picture in the terminal and data on stdout do not go together", async () => {
  const { code, stdout } = await cria("--flops", "1e22", "--plot", "--json");
  expect(code).toBe(2);
  expect(JSON.parse(stdout).error.message).toMatch(/--plot draws for people and --json prints data/);
});

interface RunOptions {
  readonly vocabSize?: number;
  /** Steps that were made. */
  readonly rows?: number;
  readonly data?: string;
  readonly tokenizer?: string;
  /** Factor by which the loss differs from the law's. */
  readonly times?: number;
}

/** A finished run of a law: what training leaves in its folder, without the weights. */
async function writeRun(name: string, dim: number, steps: number, options: RunOptions = {}): Promise<string> {
  const { vocabSize = 256, rows = steps, data = join(folder, "data"), tokenizer, times = 1 } = options;
  const path = join(folder, name);
  await mkdir(path, { recursive: true });
  const config = llamaConfig({ vocabSize, dim, nLayers: 2, nHeads: 2, hiddenDim: 2 * dim, contextLength: 64, tiedOutput: true });
  const recipe = completeRecipe(parseRecipe({ data, tokenizer: "t.json", model: config, steps, batch: 4 }, "test"), vocabSize);
  await writeRecipe(join(path, "train.yaml"), { ...recipe, precision: "float32" });
  const law = { ...laws.besiroglu, E: 1.5, A: 60, B: 400 };
  const loss = times * lossOf(law, { parameters: parameterCount(config), tokens: 256 * steps });
  if (tokenizer !== undefined) await writeFile(join(path, "tokenizer.json"), tokenizer);
  const step = (i: number) => ({ step: i, loss: 9, learningRate: 1e-3, gradientNorm: 1, tokens: 256 * i, tokensPerSecond: 1, seconds: 1 });
  const lines = [...Array.from({ length: rows }, (_, i) => step(i + 1)), { step: rows, heldOutLoss: loss, bitsPerByte: 1, seconds: 1 }];
  await writeFile(join(path, "metrics.jsonl"), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  return path;
}

test("the law of one's own runs comes from their folders, with intervals, and predicts the next size", async () => {
  const runs = await Promise.all(
    [16, 32, 64].flatMap((dim) => [40, 160, 640].map((steps) => writeRun(join("runs", `run-${dim}-${steps}`), dim, steps))),
  );
  const { code, stdout, stderr } = await cria("--fit", ...runs, "--gpu", "rtx-4090");
  expect(stderr).toBe("");
  expect(code).toBe(0);
  expect(stdout).toMatch(/run-64-640 +\S+k +164k +\d\.\d{4} +\d\.\d{4} +-?0\.0\d %/);
  expect(stdout).toMatch(/alpha +0\.3\d+ +95 %: /);
  expect(stdout).toMatch(
    /prediction: \S+ parameters on \S+ tokens \(\S+ operations\) end at loss \d\.\d{3}\n +95 % of such runs should end between/,
  );
  expect(stdout).toMatch(/95 %: of 200 fits to these runs/);
  expect(stdout).toMatch(/plan: compute-optimal for 10 times the operations of the largest run/);
  const found = await json("--fit", ...runs, "--gpu", "rtx-4090", "--flops", "1e15");
  expect(found.fit.fit.law.E).toBeCloseTo(1.5, 1);
  expect(found.law.name).toBe("your runs");
  expect(found.plan.flops).toBeCloseTo(1e15, -9);
  const inFolder = await json("--fit", join(folder, "runs"), runs[0]!, "--gpu", "rtx-4090");
  expect(inFolder.fit.runs.map(({ name }: { name: string }) => name)).toEqual(runs.map((path) => basename(path)));
  const other = await cria("--fit", ...runs, "--preset", "7B", "--gpu", "a100-80gb");
  expect(other.stdout).toMatch(/your runs have a vocabulary of 256 and 7B one of 32,000: nats per token do not compare/);
});

/** Writes runs of three lengths for each size; two sizes are quickly fitted. */
function writeGrid(name: string, optionsOf: (dim: number, steps: number) => RunOptions = () => ({}), sizes = [16, 64]): Promise<string[]> {
  const grid = sizes.flatMap((dim) => [40, 160, 640].map((steps) => [dim, steps] as const));
  return Promise.all(grid.map(([dim, steps]) => writeRun(join(name, `run-${dim}-${steps}`), dim, steps, optionsOf(dim, steps))));
}

test("a law that its own runs refute is shown, and nothing is planned by it", async () => {
  // The longest runs end no better than the short ones: the law levels off above the best of them.
  await writeGrid("level", (dim, steps) => ({ times: steps === 640 ? 1.3 : dim === 16 && steps === 160 ? 0.7 : 1 }), [16, 32, 64]);
  const { code, stdout } = await cria("--fit", join(folder, "level"), "--flops", "1e15");
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /^this law does not hold for these runs: add longer ones\n(by the law no model of this text gets below E|for 10 times the operations of the largest run, )/,
  );
  expect(stdout).not.toMatch(/^(plan|prediction)/m);
  const { warnings, plan } = await json("--fit", join(folder, "level"));
  expect(warnings.at(-1)).toBe("this law does not hold for these runs: add longer ones");
  expect(plan).toBeUndefined();
});

test("runs that do not show that size matters give no size to go on with", async () => {
  await writeGrid("idle", (dim) => ({ times: (dim / 64) ** 0.25 }), [16, 32, 64]);
  const { code, stdout } = await cria("--fit", join(folder, "idle"), "--flops", "1e15", "--plot");
  expect(code).toBe(0);
  expect(stdout).toMatch(/these runs do not show that size matters: over all of them it moves the fitted loss by/);
  expect(stdout).toMatch(/^this law .* add longer ones; there is no plan to draw\n/);
});

test("the largest run as an outlier, and a loose prediction, are said before the fit", async () => {
  await writeGrid("outlier", (dim, steps) => ({ times: dim === 64 && steps === 640 ? 0.93 : 1 }), [16, 32, 64]);
  const { stdout } = await cria("--fit", join(folder, "outlier"), "--gpu", "rtx-4090");
  expect(stdout).toMatch(/^the largest run, run-64-640, misses the law by 7\.\d+ %, the others by 0\.\d+ %: /);
  await writeGrid("loose", (dim, steps) => ({ times: 1 + ((dim * 7 + steps * 3) % 11) / 100 }));
  const { warnings } = await json("--fit", join(folder, "loose"), "--gpu", "rtx-4090", "--parameters", "1B", "--tokens", "1B");
  expect(warnings[0]).toMatch(/^the prediction is loose: its 95 % reach from \S+ to \S+, \S+ % of the loss/);
});

test("one's own runs go on on this machine, and the fit is shown whatever comes of the plan", async () => {
  const runs = await writeGrid("here");
  const { run, optima } = await json("--fit", ...runs, "--flops", "1e14");
  expect(run.machine.isHere).toBe(true);
  expect(optima.map(({ loss }: { loss?: number }) => loss !== undefined)).toEqual([true, false, false, false]);
  const { code, stdout, stderr } = await cria("--fit", ...runs, "--loss", "1000", "--gpu", "rtx-4090");
  expect(code).toBe(1);
  expect(stdout).toMatch(/run-64-640[\s\S]*their law/);
  expect(stderr).toMatch(/loss 1000 calls for a model of/);
});

test("an unfinished run in a folder is left out and named; a study's runs are found in its folder", async () => {
  await writeGrid(join("study", "runs"));
  await writeRun(join("study", "runs", "run-64-900"), 64, 900, { rows: 7 });
  const { stdout } = await cria("--fit", join(folder, "study"), "--gpu", "rtx-4090");
  expect(stdout).toMatch(/run-64-900 is left out: it is at step 7 of 900/);
  const named = await cria("--fit", join(folder, "study"), join(folder, "study", "runs", "run-64-900"));
  expect(named.stderr).toMatch(/run-64-900 is at step 7 of 900: finish it/);
});

test("runs on other texts or of other tokenizers do not compare", async () => {
  const refusal = async (name: string, optionsOf: (dim: number) => RunOptions) => {
    await writeGrid(name, optionsOf);
    return (await cria("--fit", join(folder, name))).stderr;
  };
  expect(await refusal("tokenizers", (dim) => ({ tokenizer: dim === 64 ? "{}" : "[]" }))).toMatch(
    /run-16-40 and run-64-40 have different tokenizers/,
  );
  const places = [join(folder, "data-a"), join(folder, "data-b")] as const;
  const texts = (dim: number) => ({ data: places[dim === 64 ? 1 : 0] });
  expect(await refusal("texts", texts)).toMatch(/losses on different texts do not compare/);
  for (const place of places) {
    await mkdir(place);
    await writeFile(join(place, "manifest.json"), "{}");
  }
  expect((await cria("--fit", join(folder, "texts"), "--gpu", "rtx-4090")).code).toBe(0);
});

test("runs that do not compare are refused, and so are unfinished ones", async () => {
  const [fine, other, short] = [
    await writeRun("fine", 16, 40),
    await writeRun("other", 16, 40, { vocabSize: 300 }),
    await writeRun("short", 16, 40, { rows: 20 }),
  ];
  expect((await cria("--fit", fine)).stderr).toMatch(/1 run where it takes 3; add finished runs of other sizes and lengths/);
  await mkdir(join(folder, "empty"), { recursive: true });
  expect((await cria("--fit", join(folder, "empty"))).stderr).toMatch(/empty holds no training run/);
  expect((await cria("--fit", fine, other)).stderr).toMatch(/fine has a vocabulary of 256 and other one of 300/);
  expect((await cria("--fit", fine, short)).stderr).toMatch(/short is at step 20 of 40: finish it/);
  await writeFile(join(short, "metrics.jsonl"), "{}\n");
  expect((await cria("--fit", fine, short)).stderr).toMatch(/is not a row of metrics/);
  await writeFile(join(short, "train.yaml"), "steps: [");
  expect((await cria("--fit", fine, short)).code).toBe(1);
});
