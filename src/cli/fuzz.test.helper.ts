// Every entrance for JSON, YAML and words of the command line, given what is right but for one value of any kind: it takes it, or it throws a
// CriaError that is short. Anything else, a TypeError from deep inside, a hang, an endless message, is a fault.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { CriaError, Rng } from "../base/index.ts";
import { dataRecipe, PreparedData, prepare, readYaml } from "../corpus/index.ts";
import { openModel } from "../index.ts";
import { writeTinyFolder } from "../load/tiny-model.test.helper.ts";
import { readMetrics, readRecipe } from "../runs/index.ts";
import { createTokenizer, trainTokenizer } from "../tokenizer/index.ts";
import { completeRecipe } from "../train/index.ts";
import { commandRows } from "./commands.ts";
import { parseFlags } from "./parse.ts";
import { runWords } from "./terminal.test.helper.ts";

export interface Entrance {
  readonly name: string;
  /** The file that is fuzzed. */
  readonly path: string;
  /** A right one. */
  readonly document: unknown;
  /** The file's text for a document; JSON by default. */
  readonly write?: (document: unknown) => string;
  read(): Promise<unknown>;
}

/** @param folder an empty one, to hold what the entrances read */
export async function entrances(folder: string): Promise<Entrance[]> {
  const at = (name: string) => join(folder, name);
  await writeTinyFolder(folder, { shards: 2 });
  const model = await trainTokenizer(["a b c ".repeat(200)], { kind: "bytes", vocabSize: 260, specials: { bos: "<s>", eos: "</s>" } });
  await writeFile(at("text.txt"), "one\n\ntwo\n\nthree\n\nfour\n\nfive\n\nsix\n\nseven\n\neight\n");
  const sources = [{ name: "text", paths: ["text.txt"], separator: "blank-lines", weight: 1, licence: "MIT" }];
  const data = { sources, heldOut: 0.3, boundaries: "both", shardTokens: 1000 };
  await prepare(dataRecipe.parse(data), createTokenizer(model), at("data"), { folder });
  const json = async (name: string) => JSON.parse(await readFile(at(name), "utf8")) as unknown;
  const write = async () => {
    await using opened = await openModel(folder);
    const tokenizer = await opened.openTokenizer();
    return tokenizer.decode(tokenizer.encode("ab a"));
  };
  const files = ["config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors.index.json"];
  await writeFile(
    at("generation_config.json"),
    JSON.stringify({ bos_token_id: 1, eos_token_id: [2], temperature: 0.5, top_k: 3, do_sample: true }),
  );
  const ofModel = await Promise.all(files.map(async (name) => ({ name, path: at(name), document: await json(name), read: write })));
  const meta = await writeMeta(at("meta"));
  const train = {
    ...{ data: "data", tokenizer: "tokenizer.json", model: { preset: "1M", nLayers: 2, norm: "rms" }, steps: "4k", batch: 8 },
    ...{ learningRate: 1e-3, evaluation: { every: 5, tokens: 100 }, checkpoints: { every: 5, keep: 2 }, precision: "auto", seed: 1 },
  };
  const rows = [
    { step: 1, loss: 2, learningRate: 1e-3, gradientNorm: 1, tokens: 10, tokensPerSecond: 1, seconds: 1 },
    { step: 1, heldOutLoss: 2, bitsPerByte: 1, seconds: 1 },
  ];
  return [
    ...ofModel,
    { ...meta, name: "params.json", read: async () => (await openModel(at("meta"))).close() },
    { name: "data recipe", path: at("data.yaml"), document: data, read: () => readYaml(at("data.yaml"), dataRecipe, "data") },
    {
      ...{ name: "train recipe", path: at("train.yaml"), document: train },
      read: async () => completeRecipe(await readRecipe(at("train.yaml"), ["seed=2"]), 320),
    },
    {
      ...{ name: "manifest", path: at("data/manifest.json"), document: await json("data/manifest.json") },
      read: async () => (await PreparedData.open(at("data"))).close(),
    },
    {
      ...{ name: "metrics", path: at("metrics.jsonl"), document: rows, read: () => readMetrics(at("metrics.jsonl")) },
      write: (document) =>
        [document]
          .flat()
          .map((row) => `${JSON.stringify(row)}\n`)
          .join(""),
    },
  ];
}

/** One of Meta's folders (test/goldens/meta.py). */
async function writeMeta(folder: string): Promise<Pick<Entrance, "path" | "document">> {
  const golden = JSON.parse(await readFile(new URL("../../test/goldens/meta.golden.json", import.meta.url), "utf8"));
  const { params, files } = golden.models.find(({ name }: { name: string }) => name === "LLaMA 3");
  await mkdir(folder);
  const path = join(folder, "params.json");
  await writeFile(path, JSON.stringify(params));
  await writeFile(join(folder, "consolidated.00.pth"), gunzipSync(Buffer.from(files[0], "base64")));
  return { path, document: params };
}

/** The right document is taken; with a value changed it is taken or refused in the house's form. Gives how many were refused. */
export async function fuzzEntrance(
  { path, document, write = (one) => JSON.stringify(one), read }: Entrance,
  seed: number,
  cases: number,
): Promise<number> {
  const rng = new Rng(seed);
  let refused = 0;
  try {
    await writeFile(path, write(document));
    await read();
    for (let i = 0; i < cases; i++) {
      const text = write(changed(document, rng)) ?? "";
      await writeFile(path, text);
      await read().catch((error: unknown) => {
        refused++;
        checkError(error, text);
      });
    }
  } finally {
    await writeFile(path, write(document)); // other entrances read it too
  }
  return refused;
}

function checkError(error: unknown, input: string): void {
  const isRight =
    error instanceof CriaError && /^\[[\w .]+\] \S/.test(error.message) && error.message.split("\n").every((line) => line.length < 1400);
  if (!isRight)
    throw new Error(`for ${input.slice(0, 500)} it threw ${String((error as Error).stack ?? error).slice(0, 2000)}`, { cause: error });
}

const oddValues: readonly unknown[] = [
  ...[null, true, false, 0, -1, 0.5, 1e300, 2 ** 53, -0, 7],
  ...["", " ", "x", "5", "-5", "4k", "8k", "1e999", "null", "\u0000", "\ud800", "__proto__", "9".repeat(400), "long ".repeat(3000)],
  ...[[], [null], [[]], ["x", 5], Array(300).fill(0), {}, { a: 1 }, { __proto__x: {} }, nested(200)],
];

function nested(depth: number): unknown {
  return depth === 0 ? 1 : [nested(depth - 1)];
}

/** A copy with one place of it removed, said twice, under another name, or of any other kind; places near the top more often. */
function changed(document: unknown, rng: Rng): unknown {
  const any = () => oddValues[rng.below(oddValues.length)];
  if (typeof document !== "object" || document === null || rng.below(8) === 0) return any();
  const keys = Object.keys(document);
  if (keys.length === 0) return any();
  const key = keys[rng.below(keys.length)]!;
  const inner = (document as Record<string, unknown>)[key];
  const goesOn = typeof inner === "object" && inner !== null && rng.below(3) > 0;
  if (Array.isArray(document)) {
    const copy: unknown[] = [...document];
    if (goesOn) copy[Number(key)] = changed(inner, rng);
    else copy.splice(Number(key), rng.below(2), ...(rng.below(2) === 0 ? [inner] : [any()]));
    return copy;
  }
  const copy: Record<string, unknown> = { ...document };
  if (goesOn) copy[key] = changed(inner, rng);
  else {
    const way = rng.below(6);
    if (way === 0) delete copy[key];
    else if (way === 1) copy[`${key}s`] = inner;
    else copy[key] = any();
  }
  return copy;
}

/** Flags of every command with values of any kind: parsed, or a wrong use. And whole lines of commands that only read. */
export async function fuzzWords(folder: string, seed: number, cases: number): Promise<void> {
  const rng = new Rng(seed);
  const loaded = await Promise.all(commandRows.map((row) => row.load()));
  const listed = loaded.map(async (one) => {
    if (!("commands" in one)) return [one];
    const inner = await Promise.all(one.commands.map((row) => row.load()));
    return inner.map((command) => ({ ...command, name: `${one.name} ${command.name}` }));
  });
  const commands = (await Promise.all(listed)).flat();
  const reading = commands.filter(({ name }) => ["inspect", "tokenizer inspect", "tokenizer decode", "data stats", "plan"].includes(name));
  const odd = () => String(oddValues[rng.below(oddValues.length)]);
  const paths = [folder, "nowhere", join(folder, "text.txt"), join(folder, "data"), join(folder, "tokenizer.json")];
  for (let i = 0; i < cases; i++) {
    const isRun = rng.below(3) === 0;
    const from = isRun ? reading : commands;
    const { name, flags } = from[rng.below(from.length)]!;
    const words: string[] = [];
    for (let count = rng.below(4); count > 0; count--) {
      const flag = flags[rng.below(Math.max(1, flags.length))];
      if (flag === undefined || (isRun && ["hours", "fit", "svg", "plot"].includes(flag.name))) continue; // these measure, or write
      words.push(
        ...(flag.type === "boolean" ? [`--${flag.name}`] : rng.below(2) === 0 ? [`--${flag.name}`, odd()] : [`--${flag.name}=${odd()}`]),
      );
    }
    for (let count = rng.below(3); count > 0; count--) words.push(rng.below(2) === 0 ? odd() : paths[rng.below(paths.length)]!);
    if (!isRun) {
      try {
        parseFlags(name, flags, words);
      } catch (error) {
        checkError(error, words.join(" "));
      }
      continue;
    }
    const line = [...name.split(" "), ...words, ...(name === "plan" ? ["--gpu", "a100-80gb"] : [])];
    const { code, stderr } = await runWords(line, commandRows);
    if (![0, 1, 2].includes(code) || /this is a bug/.test(stderr))
      throw new Error(`cria ${JSON.stringify(line)} ended with ${code}: ${stderr}`);
  }
}
