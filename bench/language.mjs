// How fast are languages told, and are they fastText's? `node bench/language.mjs --model lid.176.ftz [--megabytes N]`
// Two mixes of texts in many languages: pages of a synthetic dump (synthetic-dump.mjs), in about the shares that Common Crawl has, and single sentences in 75
// languages, of each as many, which is the worst case, as every other word is new. Rates are MB (10^6 bytes of UTF-8) per second of the processor's time: of
// the first time that a classifier reads the texts, and of the third. Where the program `fasttext` is installed, it reads the same texts in turns with us, its
// start is taken off, and labels are compared.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Rng } from "../dist/base/index.js";
import { FastTextClassifier, readFastText } from "../dist/fasttext/index.js";
import { hasTexts, SyntheticPages } from "./synthetic-dump.mjs";

const data = process.env.CRIA_DATA ?? fileURLToPath(new URL("../../shared/data", import.meta.url));

export async function run(args = []) {
  const { values } = parseArgs({ args, options: { megabytes: { type: "string", default: "6" }, model: { type: "string" } } });
  if (values.model === undefined || !hasTexts())
    return console.log(values.model === undefined ? "name a model by --model" : `${data} lacks the texts that are asked for`);
  const model = readFastText(values.model, readFileSync(values.model));
  const bytes = 1e6 * Number(values.megabytes);
  for (const [name, texts] of [
    ["web mix", webMix(bytes)],
    ["75 languages", evenMix(bytes)],
  ])
    measure(name, texts, model, values.model);
}

function measure(name, texts, model, path) {
  const size = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0) / 1e6;
  const warmUp = new FastTextClassifier(model);
  for (const text of texts.slice(0, texts.length / 5)) warmUp.classify(text);
  for (let round = 0; round < 2; round++) {
    const classifier = new FastTextClassifier(model);
    const labels = [];
    const rates = Array.from({ length: 3 }, () => {
      const started = process.cpuUsage();
      for (const [i, text] of texts.entries()) labels[i] = classifier.classify(text)[0]?.label ?? "";
      const { user, system } = process.cpuUsage(started);
      return (size / ((user + system) / 1e6)).toFixed(1);
    });
    console.log(`${name}, ${size.toFixed(1)} MB: ${rates[0]} MB/s at first, ${rates[2]} MB/s the third time`);
    comparePeer(texts, labels, size, path);
  }
}

/** Asks the program `fasttext`, if there is one. */
function comparePeer(texts, labels, size, path) {
  const folder = mkdtempSync(join(tmpdir(), "cria-language-"));
  try {
    const [file, nothing] = [join(folder, "texts.txt"), join(folder, "nothing.txt")];
    writeFileSync(file, texts.map((text) => `${text}\n`).join(""));
    writeFileSync(nothing, "");
    const whole = asked(file, path);
    if (whole === undefined) return console.log("  no program fasttext to compare with");
    const seconds = whole.seconds - asked(nothing, path).seconds;
    const theirs = whole.text.split("\n").map((line) => line.replace(/^__label__/, ""));
    const others = labels.filter((label, i) => label !== theirs[i]).length;
    console.log(`  fasttext: ${(size / seconds).toFixed(1)} MB/s; another label for ${others} of ${texts.length} texts`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function asked(file, model) {
  const command = 'exec 3>&1; TIMEFORMAT="%U %S"; time fasttext predict "$0" "$1" >&3';
  const { status, stdout, stderr } = spawnSync("bash", ["-c", command, model, file], { encoding: "utf8", maxBuffer: 2 ** 28 });
  const [user, system] = stderr.trim().split(/\s+/).slice(-2).map(Number);
  return status === 0 ? { seconds: user + system, text: stdout } : undefined;
}

function webMix(bytes) {
  const pages = new SyntheticPages();
  const texts = [];
  for (let size = 0; size < bytes; size += Buffer.byteLength(texts.at(-1))) texts.push(pages.page(texts.length).text.replaceAll("\n", " "));
  return texts;
}

function evenMix(bytes) {
  const root = join(data, "langid/lingua");
  const folders = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const texts = folders.flatMap(({ name }) =>
    readFileSync(join(root, name, "testdata/sentences.txt"), "utf8")
      .split("\n")
      .filter(Boolean),
  );
  const rng = new Rng(14);
  for (let i = texts.length - 1; i > 0; i--) {
    const j = rng.below(i + 1);
    [texts[i], texts[j]] = [texts[j], texts[i]];
  }
  let size = 0;
  return texts.filter((text) => {
    size += Buffer.byteLength(text);
    return size < bytes;
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await run(process.argv.slice(2));
