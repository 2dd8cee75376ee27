// cria tokenizer cut: a tokenizer with the pieces alone that some texts use
import { resolve } from "node:path";
import { UsageError } from "../base/index.ts";
import type { Texts } from "../corpus/index.ts";
import { atomicWriteJson } from "../files/index.ts";
import { tokenizerForms } from "../open/index.ts";
import { cutVocabulary, type Tokenizer } from "../tokenizer/index.ts";
import type { Command, CommandIo } from "./command.ts";
import { required, stringFlag } from "./flag-values.ts";
import { loadTokenizer } from "./load-tokenizer.ts";
import { openAndTell, textFlags, textOptions } from "./text-flags.ts";
import { formNames, isPartOf, outputHelp, outputOf, writeTokenizer } from "./tokenizer-output.ts";

const where = "tokenizer cut";

/** The command `cria tokenizer cut`. */
export const cutCommand: Command = {
  name: "cut",
  summary: "keep the pieces that texts use, under new ids without gaps, and write which id became which",
  usage: "TOKENIZER --out OUT TEXT...",
  flags: [
    { name: "out", type: "string", required: true, value: "OUT", help: "the file to write, or a folder" },
    { name: "to", type: "string", value: formNames.join("|"), help: "the form of OUT (by its ending unless given)" },
    {
      name: "ids",
      type: "string",
      value: "FILE",
      help: 'the JSON to write: "ids" holds the new id of every old one that stays, to cut a model\'s embeddings (OUT with .ids.json behind it unless given)',
    },
    ...textFlags,
  ],
  example: { title: `a TOKENIZER is a folder, a file or hf:owner/name: ${tokenizerForms}; OUT`, text: outputHelp },
  async run([path, ...files], flags, io) {
    if (path === undefined) throw new UsageError(where, `TOKENIZER is missing: name a folder, a file or hf:owner/name: ${tokenizerForms}`);
    const reading = textOptions(flags, where);
    const output = await outputOf(required(stringFlag(flags, "out"), where, "out"), stringFlag(flags, "to"), path, where);
    const table = stringFlag(flags, "ids") ?? `${output.file}.ids.json`;
    if (resolve(table) === resolve(output.file) || (await isPartOf(table, path)))
      throw new UsageError(where, `--ids is ${table}, which is a tokenizer's file, and would replace it: name another file`);
    if (files.length === 0) throw new UsageError(where, "no texts: name files, folders or patterns, or - for standard input");
    const tokenizer = await loadTokenizer(path, io);
    await using texts = await openAndTell(files, reading, io, where);
    const { used, tokens } = await usedIds(tokenizer, texts, io);
    const { model, oldIds } = cutVocabulary(tokenizer.model, used);
    await writeTokenizer(model, output, where);
    const sizes = { oldVocabSize: tokenizer.vocabSize, vocabSize: oldIds.length };
    await atomicWriteJson(table, { ...sizes, ids: Object.fromEntries(oldIds.map((old, id) => [old, id])) }, where);
    const summary = { out: output.file, ids: table, ...sizes, used: used.length, tokens };
    io.stdout(io.json ? `${JSON.stringify(summary)}\n` : asText(summary));
    return 0;
  },
};

/** The ids that the documents are encoded to, ascending, and how many tokens they are. */
async function usedIds(tokenizer: Tokenizer, texts: Texts, { signal, progress }: CommandIo) {
  const isUsed = new Uint8Array(tokenizer.vocabSize);
  let tokens = 0;
  let done = 0;
  const onBytes = (bytes: number) => {
    done += bytes;
    progress({ task: "encoding", done, total: texts.bytes, unit: "bytes" });
  };
  for await (const document of texts.documents({ signal, onBytes })) {
    const ids = tokenizer.encode(document);
    for (const id of ids) isUsed[id] = 1;
    tokens += ids.length;
  }
  return { used: [...isUsed.keys()].filter((id) => isUsed[id] === 1), tokens };
}

interface Summary {
  readonly out: string;
  readonly ids: string;
  readonly oldVocabSize: number;
  readonly vocabSize: number;
  readonly used: number;
  readonly tokens: number;
}

function asText({ out, ids, oldVocabSize, vocabSize, used, tokens }: Summary): string {
  const number = (value: number) => value.toLocaleString("en-US");
  return [
    `${out}: ${number(vocabSize)} of ${number(oldVocabSize)} pieces: ${number(used)} that the ${number(tokens)} tokens of these texts are, `,
    `bytes, special pieces, and what the used ones are merged from\n`,
    `${ids}: the new id of every old one that stays\n`,
  ].join("");
}
