// How fast is encoding, beside other programs with the same vocabulary, and on two threads?
// `node bench/tokenize.mjs [--mb N] [--seconds N] [--only llama,gpt2] [--threads MB, 0 for none] [--alone: nothing but the threads]`
// All contestants take turns, a stretch of a megabyte each, and every stretch is new to all of them, so that caches begin cold. Who is slow ends
// after some seconds. One thread each; the last rows have two. Texts and vocabularies are of the data folder beside the checkout; peers of bench/peers
// (README there) are left out where they are absent.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { gunzipSync } from "node:zlib";
import { DocumentEncoder } from "../dist/corpus/index.js";
import { loadSentencePiece, tokenizerJson } from "../dist/formats/index.js";
import { openAnyTokenizer } from "../dist/load/index.js";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const peers = createRequire(join(root, "bench/peers/package.json"));

/** GPT-2's pattern in the form that every library knows. */
const gpt2Words = { pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true } };

export async function run(args = []) {
  const { values } = parseArgs({
    args,
    options: {
      mb: { type: "string", default: "100" },
      seconds: { type: "string", default: "8" },
      only: { type: "string", default: "llama,gpt2" },
      threads: { type: "string", default: "200" },
      alone: { type: "boolean", default: false },
    },
  });
  const data = [process.env.CRIA_DATA, join(root, "../shared/data")].find((path) => path && existsSync(path));
  if (data === undefined) return console.log("no data folder beside the checkout");
  const folder = mkdtempSync(join(tmpdir(), "cria-tokenize-"));
  try {
    const megabytes = Number(values.mb);
    for (const name of values.only.split(",")) {
      const file = join(data, `conformance/llama.cpp/ggml-vocab-${{ llama: "llama-spm", gpt2: "gpt-2" }[name]}.gguf`);
      for (const [what, share, texts] of corpora(data)) {
        const stretches = cut(texts, megabytes * share * 1e6);
        if (!values.alone) await race(`${name}, ${what}`, await contestants(name, file, folder), stretches, Number(values.seconds), folder);
        if (values.threads !== "0") await threads(`${name}, ${what}`, file, stretches, Number(values.threads));
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What, its share of the megabytes, and its texts. */
function corpora(data) {
  const langid = (codes) => codes.map((code) => readFileSync(join(data, `langid/lingua/${code}/testdata/sentences.txt`), "utf8"));
  const novels = readdirSync(join(data, "text/eltec-eng"))
    .filter((file) => file.endsWith(".gz"))
    .flatMap((file) =>
      gunzipSync(readFileSync(join(data, "text/eltec-eng", file)))
        .toString("utf8")
        .split("\n"),
    )
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line).text);
  const japanese = readFileSync(join(data, "text/sentencepiece-data/wagahaiwa_nekodearu.txt"), "utf8");
  return [
    ["English", 1, novels],
    ["code", 0.2, codeFiles()],
    ["Chinese and Japanese", 0.2, [...langid(["zh", "ja"]), japanese]],
    ["mixed European", 0.2, langid("fr de es it pl ru el pt cs sv fi hu uk nl da ro bg".split(" "))],
  ];
}

/** This project's dependencies and its own source. */
function codeFiles() {
  return ["src", "node_modules"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true })
      .filter((file) => /\.(ts|js|mjs|cjs)$/.test(file) && !/\.min\./.test(file))
      .sort()
      .slice(0, 6000)
      .map((file) => readFileSync(join(root, folder, file), "utf8")),
  );
}

/** Stretches of a megabyte, as bytes. Where there is too little text, halves of its lines are put together anew, so that nothing comes twice. */
function cut(texts, bytes) {
  const stretches = [];
  const lines = texts.flatMap((text) => text.split("\n"));
  let [stretch, size, total, seed] = [[], 0, 0, 1];
  const random = (below) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  const half = (line, second) => (second ? line.slice(line.length >> 1) : line.slice(0, line.length >> 1));
  for (let i = 0; total < bytes; i++) {
    const line = i < lines.length ? lines[i] : half(lines[random(lines.length)], false) + half(lines[random(lines.length)], true);
    stretch.push(line);
    size += Buffer.byteLength(line) + 1;
    if (size < 1e6) continue;
    stretches.push(Buffer.from(stretch.join("\n")));
    total += size;
    [stretch, size] = [[], 0];
  }
  return stretches;
}

/** A stretch as documents of about 16 KB, as bytes and as strings, which end with a line where that is possible. */
function documentsOf(stretch) {
  const documents = [];
  for (let at = 0; at < stretch.length; ) {
    const line = stretch.indexOf(10, at + 16_000);
    const stop = line < 0 ? stretch.length : line + 1;
    const bytes = stretch.subarray(at, stop);
    documents.push({ bytes, text: bytes.toString("utf8") });
    at = stop;
  }
  return documents;
}

function each(encode) {
  return ({ documents }) => documents.forEach(encode);
}

function eachAsync(encode) {
  return async ({ documents }) => {
    for (const document of documents) await encode(document);
  };
}

/** Name → function that encodes a stretch, in documents or as the file it lies in, and may answer with its own seconds. */
async function contestants(name, file, folder) {
  const tokenizer = await openAnyTokenizer(file);
  const second = await openAnyTokenizer(file); // caches of its own
  const json = join(folder, `${name}.json`);
  writeFileSync(json, JSON.stringify({ ...tokenizerJson(tokenizer.model), ...(name === "gpt2" ? gpt2Words : {}) }));
  const { sentencePieceModelBytes } = await loadSentencePiece();
  if (name === "llama") writeFileSync(join(folder, "llama.model"), sentencePieceModelBytes(tokenizer.model));
  const all = {
    "cria, bytes": each(({ bytes }) => tokenizer.encodeBytes(bytes)),
    "cria, strings": each(({ text }) => second.encode(text)),
  };
  await add(all, "@huggingface/tokenizers", "@huggingface/tokenizers", ({ Tokenizer }) => {
    const theirs = new Tokenizer(JSON.parse(readFileSync(json, "utf8")), {});
    return each(({ text }) => theirs.encode(text));
  });
  await add(all, "@anush008/tokenizers", "@anush008/tokenizers", async (module) => {
    const theirs = await module.Tokenizer.fromString(readFileSync(json, "utf8"));
    return eachAsync(({ text }) => theirs.encode(text, null, { addSpecialTokens: false }));
  });
  if (name === "llama")
    await add(all, "llama-tokenizer-js", "llama-tokenizer-js", ({ default: module }) => {
      const theirs = module.default ?? module;
      return each(({ text }) => theirs.encode(text));
    });
  else {
    await add(all, "tiktoken (npm)", "tiktoken", ({ get_encoding }) => {
      const theirs = get_encoding("gpt2");
      return each(({ text }) => theirs.encode_ordinary(text));
    });
    await add(all, "gpt-tokenizer", "gpt-tokenizer/encoding/r50k_base", ({ encode }) =>
      each(({ text }) => encode(text, { disallowedSpecial: new Set() })),
    );
  }
  if (name === "llama" && spawnSync("spm_encode", ["--help"]).error === undefined) all.spm_encode = spmEncode(join(folder, "llama.model"));
  for (const peer of name === "llama" ? ["gigatoken", "sentencepiece", "tokenizers"] : ["gigatoken", "tiktoken", "tokenizers"]) {
    const child = await python(peer, name === "llama" && peer !== "tokenizers" ? join(folder, "llama.model") : json);
    if (child) all[`${peer} (Python)`] = child;
  }
  return all;
}

async function add(all, name, module, open) {
  try {
    const { default: whole, ...parts } = await import(pathToFileURL(peers.resolve(module)));
    all[name] = await open({ ...(typeof whole === "object" ? whole : {}), ...parts, default: whole });
  } catch (error) {
    console.log(
      `${name} is left out: ${String(error.message ?? error)
        .split("\n")[0]
        .slice(0, 120)}`,
    );
  }
}

/** The program's time for a stretch, less that for no text. */
function spmEncode(model) {
  const seconds = (input) => {
    const started = performance.now();
    spawnSync("spm_encode", [`--model=${model}`, "--output_format=id"], { input, maxBuffer: 2 ** 28 });
    return (performance.now() - started) / 1e3;
  };
  const empty = Math.min(seconds(""), seconds(""), seconds(""));
  const peer = ({ stretch }) => Math.max(1e-3, seconds(stretch) - empty);
  peer.tellsSeconds = true;
  return peer;
}

/** A child that encodes the file it is told and answers with seconds. */
async function python(peer, vocabulary) {
  const program = process.env.CRIA_PYTHON ?? "python3";
  const child = spawn(program, [join(root, "bench/peers/tokenizer_peers.py"), peer, vocabulary], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  child.on("error", () => undefined);
  const hello = await Promise.race([lines.next(), once(child, "exit").then(() => ({ done: true }))]).catch(() => ({ done: true }));
  if (hello.done || hello.value !== "ready") {
    console.log(`${peer} (Python) is left out: ${hello.value ?? "it does not start"}`);
    child.kill();
    return undefined;
  }
  const ask = async ({ path }) => {
    child.stdin.write(`${path}\n`);
    return Number((await lines.next()).value);
  };
  ask.tellsSeconds = true;
  ask.end = () => child.stdin.end();
  return ask;
}

async function race(title, all, stretches, limit, folder) {
  const seconds = Object.fromEntries(Object.keys(all).map((name) => [name, 0]));
  const bytes = { ...seconds };
  const path = join(folder, "stretch.txt");
  for (const stretch of stretches) {
    writeFileSync(path, stretch);
    const documents = documentsOf(stretch);
    for (const [name, encode] of Object.entries(all)) {
      if (seconds[name] > limit && !name.startsWith("cria")) continue;
      const started = performance.now();
      const told = await encode({ stretch, documents, path });
      seconds[name] += encode.tellsSeconds ? told : (performance.now() - started) / 1e3;
      bytes[name] += stretch.length;
    }
  }
  for (const encode of Object.values(all)) encode.end?.();
  const rate = (name) => bytes[name] / 1e6 / seconds[name];
  console.log(`\n${title}: ${(stretches.reduce((sum, one) => sum + one.length, 0) / 1e6).toFixed(0)} MB`);
  for (const name of Object.keys(all)) {
    const ratio = name === "cria, bytes" ? "" : `, cria is ${(rate("cria, bytes") / rate(name)).toFixed(2)} × as fast`;
    console.log(`  ${name.padEnd(26)} ${rate(name).toFixed(1).padStart(7)} MB/s of ${(bytes[name] / 1e6).toFixed(0)} MB${ratio}`);
  }
}

/**
 * Documents of 64 KB on one thread and on two, as `cria data prepare` encodes them, the text over and over until it has so many megabytes, and then once
 * more: the first pass begins with a tokenizer that has kept nothing, and has threads to start; the second has neither.
 */
async function threads(title, file, stretches, megabytes) {
  const texts = stretches.flatMap((stretch) =>
    Array.from({ length: Math.ceil(stretch.length / 2 ** 16) }, (_, i) => stretch.subarray(i << 16, (i + 1) << 16).toString("utf8")),
  );
  async function* documents() {
    for (let [i, units] = [0, 0]; units < megabytes * 1e6; i++) {
      const text = texts[i % texts.length];
      units += text.length;
      yield { text };
    }
  }
  const rates = { first: [[], []], second: [[], []] };
  const cpu = { first: [[], []], second: [[], []] };
  for (let round = 0; round < 3; round++)
    for (const count of [1, 2]) {
      const encoder = new DocumentEncoder(await openAnyTokenizer(file), {
        bos: false,
        eos: false,
        threads: count,
        expected: megabytes * 1e6,
      });
      for (const pass of ["first", "second"]) {
        let bytes = 0;
        const [before, started] = [process.cpuUsage(), performance.now()];
        for await (const one of encoder.encode(documents())) bytes += one.bytes;
        const { user, system } = process.cpuUsage(before);
        rates[pass][count - 1].push(bytes / 1e3 / (performance.now() - started));
        cpu[pass][count - 1].push((user + system) / bytes);
      }
      await encoder[Symbol.asyncDispose]();
    }
  for (const pass of ["first", "second"]) {
    const [[one, two], [cpuOne, cpuTwo]] = [rates[pass].map(median), cpu[pass].map(median)];
    console.log(
      `  ${title}, ${megabytes} MB on 1 and 2 threads, ${pass} pass: ${one.toFixed(1)} and ${two.toFixed(1)} MB/s, ${(two / one).toFixed(2)} ×; processor time ${(cpuTwo / cpuOne).toFixed(2)} ×`,
    );
  }
}

function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await run(process.argv.slice(2));
