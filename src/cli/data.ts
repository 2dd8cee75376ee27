// cria data: prepare, stats, verify
import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { UsageError } from "../base/index.ts";
import {
  dataRecipe,
  formNames,
  looksLikeText,
  type Manifest,
  manifestName,
  openCorpus,
  PreparedData,
  prepareCorpus,
  readYaml,
  verifyPrepared,
} from "../corpus/index.ts";
import { type Command, type CommandGroup, type CommandIo, rowOf } from "./command.ts";
import { required, stringFlag } from "./flag-values.ts";
import { callAgain } from "./hints.ts";
import { loadTokenizer } from "./load-tokenizer.ts";
import { formsHelp, tellNotes } from "./text-flags.ts";

/** A test reads it as a recipe. */
const exampleRecipe = `\
sources:
  - name: books               # of your choice; a single source needs no name and no weight
    paths: books/*.txt        # files, folders, patterns with *, ?, {a,b} and **; relative to the recipe
    weight: 2                 # share of the training tokens, beside the other sources' weights
    separator: blank-lines    # text: what stands between documents; by default a file is one document
  - name: web
    paths: [web/a.jsonl.gz, web/b.csv]
    field: body               # JSON and tables: the key or column that holds the text; text by default
    weight: 1
    licence: CC-BY-4.0
heldOut: 0.01                 # share of the text that training never sees; 0.01 by default
# More keys of a source:
#   format: ${formNames.join("|")}     how files are read, whatever their names end in
#   newlines: lf|keep     whether CRLF and lone CR become LF; lf by default
# What is read, each also with .gz or .zst, by the ending or else by the content:
${formsHelp.trimEnd().replace(/^/gm, "#   ")}
# A text file of more than 16 million characters without a separator becomes several documents, cut between paragraphs.
# Of a source with few documents, stretches of them are held out, not whole ones.
`;

const prepareCommand: Command = {
  name: "prepare",
  summary: "texts to token shards, which cria train reads",
  usage: "RECIPE.yaml --tokenizer TOKENIZER --out DIR",
  flags: [
    {
      name: "tokenizer",
      type: "string",
      required: true,
      help: "a tokenizer's file or folder, in any form; cria tokenizer train makes one",
    },
    { name: "out", type: "string", required: true, help: "the folder to make, absent or empty" },
  ],
  example: { title: "a recipe", text: exampleRecipe },
  async run(args, flags, io) {
    const where = "data prepare";
    const path = onlyArgument(args, where, "RECIPE.yaml");
    const out = required(stringFlag(flags, "out"), where, "out");
    if (await isThere(join(path, manifestName)))
      throw new UsageError(where, `${path} is prepared data already: name a recipe, or see cria data stats`);
    if (await looksLikeText(path)) throw new UsageError(where, textInsteadOfRecipe(path, io));
    const recipe = await readYaml(path, dataRecipe, where);
    const tokenizer = await loadTokenizer(required(stringFlag(flags, "tokenizer"), where, "tokenizer"), io);
    await using corpus = await openCorpus(recipe, { folder: dirname(path), signal: io.signal });
    const manifest = await prepareCorpus(corpus, tokenizer, out, { progress: io.progress, signal: io.signal });
    tellNotes(await corpus.notes(), io);
    io.stdout(io.json ? asJson(out, manifest) : asText(out, manifest));
    return 0;
  },
};

const statsCommand: Command = {
  name: "stats",
  summary: "what a folder of prepared data holds",
  usage: "DIR",
  flags: [],
  async run(args, _, io) {
    const folder = onlyArgument(args, "data stats", "DIR");
    await using data = await PreparedData.open(folder); // checks every shard against the manifest
    io.stdout(io.json ? asJson(folder, data.manifest) : asText(folder, data.manifest));
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
  commands: [prepareCommand, statsCommand, verifyCommand].map(rowOf),
};

function onlyArgument(args: readonly string[], where: string, what: string): string {
  const [first, second] = args;
  if (first === undefined) throw new UsageError(where, `${what} is missing: see cria ${where} --help`);
  if (second !== undefined) throw new UsageError(where, `"${second}" is one too many: name one ${what}`);
  return first;
}

function textInsteadOfRecipe(path: string, { caller }: CommandIo): string {
  const recipe = `sources: [{ paths: ${JSON.stringify(path === "-" ? "FILE" : path)} }]`;
  return `${path} is a text, not a recipe: write a recipe that names it (${recipe}), or leave all of it to ${callAgain(caller, "train", path)}`;
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function asJson(folder: string, manifest: Manifest): string {
  return `${JSON.stringify({ data: folder, ...manifest }, null, 2)}\n`;
}

function asText(folder: string, { sources, heldOut, vocabulary }: Manifest): string {
  const weights = sources.reduce((sum, { weight }) => sum + weight, 0);
  const rows = [
    ...sources.map((source) => [source.name, `${((100 * source.weight) / weights).toFixed(1)} %`, ...counts(source)]),
    ...(heldOut ? [["held-out", "", ...counts(heldOut)]] : []),
  ];
  return `${folder}: tokens of a vocabulary of ${vocabulary.size}\n${table([["source", "share", "documents", "bytes", "tokens", "bytes/token"], ...rows])}`;
}

function counts({ documents, bytes, tokens }: Pick<Manifest["sources"][number], "documents" | "bytes" | "tokens">): string[] {
  const whole = [documents, bytes, tokens].map((value) => value.toLocaleString("en-US"));
  return [...whole, tokens === 0 ? "" : (bytes / tokens).toFixed(2)];
}

/** Names to the left, numbers to the right. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const cell = (text: string, column: number) => (column === 0 ? text.padEnd(widths[0]!) : text.padStart(widths[column]!));
  return rows.map((row) => `  ${row.map(cell).join("  ").trimEnd()}\n`).join("");
}
