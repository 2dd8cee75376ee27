// cria data percentiles: perplexities of a sample of a corpus, whose percentiles are the cutoffs of the step perplexity.
import { dirname } from "node:path";
import { UsageError } from "../base/index.ts";
import { MeasureSample, openMeter, type PerplexityPercentiles, percentilesOf, samplePlace } from "../clean/index.ts";
import { atomicWriteJson, makeFolder } from "../files/index.ts";
import { filesFrom } from "../pipeline/index.ts";
import type { Command } from "./command.ts";
import { table } from "./data-text.ts";
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
    {
      name: "tokenizer",
      type: "string",
      help: "the file of the tokenizer, as the step has it (the one in the model's file, or words between white space, unless given)",
    },
    { name: "as-written", type: "boolean", help: "measure the text as it is: the step's normalise is false" },
    { name: "line-ends", type: "string", value: "sentences|deleted", help: "the step's lineEnds (sentences unless given)" },
    { name: "share", type: "number", help: "the share of the documents that is measured, chosen by a hash of the text (1 unless given)" },
    { name: "documents", type: "number", help: "documents that are counted at most, chosen in the same way (100,000 unless given)" },
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
    const sample = new MeasureSample(wholeFlag(flags, where, "documents") ?? 100_000);
    await using texts = await openAndTell(paths, textOptions(flags, where), io, where);
    for await (const { text, facts } of texts.placedDocuments({ signal: io.signal })) {
      const place = samplePlace(text);
      const { language } = facts;
      if (place < share && text !== "")
        sample.add({ place, value: meter.measure(text), group: typeof language === "string" ? language : "" });
    }
    const found = percentilesOf(sample.groups(), meter.mark);
    await makeFolder(dirname(out), where);
    await atomicWriteJson(out, found, where);
    io.stdout(io.json ? `${JSON.stringify({ out, ...found })}\n` : told(out, found));
    return 0;
  },
};

function told(out: string, { documents, perplexities, languages = {} }: PerplexityPercentiles): string {
  const others = Object.entries(languages);
  const cells = (percentile: number) => [perplexities, ...others.map(([, own]) => own.perplexities)].map((own) => String(own[percentile]));
  const rows = [0, 10, 30, 50, 60, 90, 100].map((percentile) => [`${percentile} %`, ...cells(percentile)]);
  const head = ["", "all", ...others.map(([language]) => language)];
  return `${out}: perplexities of ${documents} documents, of which so many are below\n${table(others.length === 0 ? rows : [head, ...rows])}`;
}
