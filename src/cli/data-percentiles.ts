// cria data percentiles: perplexities of a sample of a corpus, whose percentiles are the cutoffs of the step perplexity.
import { dirname } from "node:path";
import { Rng, UsageError } from "../base/index.ts";
import { openMeter, type PerplexityPercentiles, percentilesOf } from "../clean/index.ts";
import { atomicWriteJson, makeFolder } from "../files/index.ts";
import { filesFrom } from "../pipeline/index.ts";
import type { Command } from "./command.ts";
import { booleanFlag, numberFlag, oneOfFlag, required, stringFlag, wholeFlag } from "./flag-values.ts";
import { openAndTell, textFlags, textOptions } from "./text-flags.ts";

const where = "data percentiles";

/** The command `cria data percentiles`. */
export const percentilesCommand: Command = {
  name: "percentiles",
  summary: "measure the perplexities of a sample of documents, whose percentiles cut the buckets of the step perplexity",
  usage: "--model FILE --out FILE.json TEXT...",
  flags: [
    { name: "model", type: "string", required: true, help: "the language model of n-grams, as the step has it" },
    { name: "out", type: "string", required: true, help: "the file to write, which the step takes as its cutoffs" },
    { name: "tokenizer", type: "string", help: "the file of the tokenizer, as the step has it (words between white space unless given)" },
    { name: "as-written", type: "boolean", help: "measure the text as it is: the step's normalise is false" },
    { name: "line-ends", type: "string", value: "sentences|deleted", help: "the step's lineEnds (sentences unless given)" },
    { name: "share", type: "number", help: "the share of the documents that is measured (1 unless given)" },
    { name: "seed", type: "number", help: "the seed of the choice (0 unless given)" },
    ...textFlags,
  ],
  async run(paths, flags, io) {
    const [model, out] = [required(stringFlag(flags, "model"), where, "model"), required(stringFlag(flags, "out"), where, "out")];
    const lineEnds = oneOfFlag(flags, where, "line-ends", ["sentences", "deleted"] as const) ?? "sentences";
    const share = numberFlag(flags, "share") ?? 1;
    if (!(share > 0 && share <= 1)) throw new UsageError(where, `--share is ${share} but must be above 0 and at most 1`);
    if (paths.length === 0) throw new UsageError(where, "no texts: name files, folders or patterns, or - for standard input");
    const settings = { model, tokenizer: stringFlag(flags, "tokenizer"), normalise: !booleanFlag(flags, "as-written"), lineEnds };
    const meter = await openMeter(settings, filesFrom("."));
    const rng = new Rng(wholeFlag(flags, where, "seed", 0) ?? 0);
    const measured: number[] = [];
    await using texts = await openAndTell(paths, textOptions(flags, where), io, where);
    for await (const text of texts.documents({ signal: io.signal }))
      if (rng.uniform() < share && text !== "") measured.push(meter.measure(text));
    const found = percentilesOf(Float64Array.from(measured), meter.mark);
    await makeFolder(dirname(out), where);
    await atomicWriteJson(out, found, where);
    io.stdout(io.json ? `${JSON.stringify({ out, ...found })}\n` : told(out, found));
    return 0;
  },
};

function told(out: string, { documents, perplexities }: PerplexityPercentiles): string {
  const rows = [0, 10, 30, 50, 60, 90, 100].map((percentile) => `  ${String(percentile).padStart(3)} %  ${perplexities[percentile]}\n`);
  return `${out}: perplexities of ${documents} documents, of which so many are below\n${rows.join("")}`;
}
