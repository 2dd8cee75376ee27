// cria data: get, prepare, try, steps, ngrams, percentiles, classifier, explain, stats, mix, trace, verify
import { PreparedData, verifyPrepared } from "../corpus/index.ts";
import { readCleaning } from "../pipeline/index.ts";
import { cleaningCounts, cleaningText } from "./cleaning-text.ts";
import { type Command, type CommandGroup, rowOf } from "./command.ts";
import { classifierCommand } from "./data-classifier.ts";
import { explainCommand } from "./data-explain.ts";
import { getCommand } from "./data-get.ts";
import { mixCommand } from "./data-mix.ts";
import { ngramsCommand } from "./data-ngrams.ts";
import { percentilesCommand } from "./data-percentiles.ts";
import { prepareCommand } from "./data-prepare.ts";
import { stepsCommand } from "./data-steps.ts";
import { manifestJson, manifestText, onlyArgument } from "./data-text.ts";
import { traceCommand } from "./data-trace.ts";
import { tryCommand } from "./data-try.ts";

const statsCommand: Command = {
  name: "stats",
  summary: "what a folder of prepared data holds, and what steps did to its sources",
  usage: "DIR",
  flags: [],
  async run(args, _, io) {
    const folder = onlyArgument(args, "data stats", "DIR");
    await using data = await PreparedData.open(folder); // checks every shard against the manifest
    const cleaned = await readCleaning(folder);
    if (io.json) io.stdout(manifestJson(folder, data.manifest, cleaned && { cleaning: cleaningCounts(cleaned) }));
    else io.stdout(`${cleaningText(cleaned ?? [], folder)}${manifestText(folder, data.manifest)}`);
    return 0;
  },
};

const verifyCommand: Command = {
  name: "verify",
  summary: "read all of a folder of prepared data, and hold it against the checksums in its manifest",
  usage: "DIR",
  flags: [],
  async run(args, _, io) {
    const folder = onlyArgument(args, "data verify", "DIR");
    const found = await verifyPrepared(folder, { progress: io.progress, signal: io.signal });
    const { files, bytes, hasChecksums } = found;
    if (io.json) io.stdout(`${JSON.stringify({ data: folder, ...found })}\n`);
    else if (hasChecksums) io.stdout(`${folder}: ${files} files of ${bytes.toLocaleString("en-US")} bytes are what was written\n`);
    else
      io.stdout(
        `${folder}: ${files} files open, and every token is in the vocabulary; an earlier version prepared them without checksums, so what else may have changed cannot be told\n`,
      );
    return 0;
  },
};

/** The commands of `cria data`. */
export const dataCommand: CommandGroup = {
  name: "data",
  summary: "turn texts into the tokens that training reads",
  commands: [
    getCommand,
    prepareCommand,
    tryCommand,
    stepsCommand,
    ngramsCommand,
    percentilesCommand,
    classifierCommand,
    explainCommand,
    statsCommand,
    mixCommand,
    traceCommand,
    verifyCommand,
  ].map(rowOf),
};
