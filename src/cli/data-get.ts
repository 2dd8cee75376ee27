// cria data get: the public inputs of the paper's data, listed and fetched from their hosts.
import { join } from "node:path";
import { didYouMean, UsageError } from "../base/index.ts";
import { makeFolder } from "../files/index.ts";
import { notToBeHad, type PublicChoice, PublicHost, type PublicInput, publicInputs } from "../hub/index.ts";
import type { Command, CommandIo, Flags } from "./command.ts";
import { booleanFlag, required, stringFlag } from "./flag-values.ts";

const where = "data get";

/** Lists public inputs, or fetches one. */
export const getCommand: Command = {
  name: "get",
  summary: "fetch public texts from their hosts; without an input, what there is",
  usage: "[INPUT --out DIR]",
  flags: [
    { name: "out", type: "string", value: "DIR", help: "the folder for the files, where a stopped run goes on" },
    { name: "list", type: "boolean", help: "print addresses and sizes, and fetch nothing" },
    { name: "dump", type: "string", value: "NAME", help: "common-crawl: the crawl, such as CC-MAIN-2022-05" },
    { name: "language", type: "string", value: "CODE", help: "wikipedia, gutenberg: the language, such as en" },
    { name: "date", type: "string", value: "DATE", help: "wikipedia: the dump's date, such as 20220101" },
    { name: "shards", type: "string", value: "A-B", help: "files of the list by their numbers from 0, or one number" },
    { name: "mirror", type: "string", value: "ADDRESS", help: "another host with the same paths" },
  ],
  async run(args, flags, io) {
    const [name, more] = args;
    if (more !== undefined) throw new UsageError(where, `"${more}" is one too many: name one input`);
    if (name === undefined) return tellInputs(io);
    const input = inputCalled(name);
    const choice = choiceOf(input, flags);
    const isListed = booleanFlag(flags, "list");
    const out = isListed ? "" : required(stringFlag(flags, "out"), where, "out");
    await using host = await PublicHost.open(input, { signal: io.signal, onProgress: io.progress, mirror: stringFlag(flags, "mirror") });
    const files = (await host.list(choice)).map((file) => ({ ...file, address: host.addressOf(file), file }));
    const told = { input: input.name, files: files.map(({ address, name, bytes, sha1 }) => ({ address, name, bytes, sha1 })) };
    if (isListed) {
      io.stdout(io.json ? `${JSON.stringify(told)}\n` : files.map(({ address, bytes }) => `${address} ${bytes}\n`).join(""));
      return 0;
    }
    await makeFolder(out, where);
    let fetched = 0;
    for (const { file } of files) if (await host.get(file, out)) fetched++;
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0).toLocaleString("en-US");
    const count = files.length === 1 ? "1 file" : `${files.length.toLocaleString("en-US")} files`;
    if (io.json) io.stdout(`${JSON.stringify({ ...told, out, fetched })}\n`);
    else
      io.stdout(`${out}: ${count} of ${bytes} bytes, ${fetched} fetched now; a recipe names them by paths: ${join(out, input.pattern)}\n`);
    return 0;
  },
};

function tellInputs(io: CommandIo): number {
  const inputs = publicInputs.map(({ name, summary, host, source, needs, takes }) => ({ name, summary, host, source, needs, takes }));
  if (io.json) io.stdout(`${JSON.stringify({ inputs, notToBeHad })}\n`);
  else {
    for (const { name, summary, host, source, needs, takes } of inputs)
      io.stdout(
        `${name} ${[...needs.map((key) => `--${key}`), ...takes.map((key) => `[--${key}]`)].join(" ")}\n  ${summary}\n  from ${host}, see ${source}\n`,
      );
    io.stdout("\nnot fetched by this command, and what to do instead:\n");
    for (const [name, why] of Object.entries(notToBeHad)) io.stdout(`${name}\n  ${why}\n`);
  }
  return 0;
}

function inputCalled(name: string): PublicInput {
  const why = notToBeHad[name];
  if (why !== undefined) throw new UsageError(where, `${name} is not fetched by this command: ${why}`);
  const names = publicInputs.map((input) => input.name);
  const found = publicInputs.find((input) => input.name === name);
  if (found === undefined)
    throw new UsageError(where, `"${name}" is no input${didYouMean(name, names) || `: inputs are ${names.join(", ")}`}`);
  return found;
}

function choiceOf({ name, needs, takes }: PublicInput, flags: Flags): PublicChoice {
  const all = ["dump", "language", "date", "shards"] as const;
  for (const key of all) {
    const isGiven = stringFlag(flags, key) !== undefined;
    if (needs.includes(key) && !isGiven) throw new UsageError(where, `${name} needs --${key}`);
    if (isGiven && !needs.includes(key) && !takes.includes(key)) throw new UsageError(where, `--${key} is not for ${name}: leave it out`);
  }
  const [dump, language, date, shards] = all.map((key) => stringFlag(flags, key));
  return { dump, language, date, shards: shards === undefined ? undefined : shardsIn(shards) };
}

function shardsIn(text: string): NonNullable<PublicChoice["shards"]> {
  const [, from, to] = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(text) ?? [];
  const [first, last] = [Number(from), Number(to ?? from)];
  if (!(first <= last)) throw new UsageError(where, `--shards is "${text}" but must be a number or two, such as 0-9`);
  return { first, last };
}
