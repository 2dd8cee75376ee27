// cria data steps: the steps that recipes may name, from their rows.
import { z } from "zod";
import { didYouMean, UsageError } from "../base/index.ts";
import { corpusStepRows, type StepRow, stepRows } from "../clean/index.ts";
import type { Command } from "./command.ts";

type Row = Pick<StepRow, "name" | "summary" | "source" | "deeds" | "reasons" | "parameters">;

/** Lists steps, or tells one in full. */
export const stepsCommand: Command = {
  name: "steps",
  summary: "the steps of cleaning that a recipe may name; with a name, its parameters, their sources and its reasons",
  usage: "[STEP]",
  flags: [],
  async run(args, _, io) {
    const [name, more] = args;
    if (more !== undefined) throw new UsageError("data steps", `"${more}" is one too many: name one step`);
    const rows: readonly Row[] = [...stepRows, ...corpusStepRows];
    const wanted = name === undefined ? rows : rows.filter((row) => row.name === name);
    if (wanted.length === 0)
      throw new UsageError(
        "data steps",
        `"${name}" is no step${
          didYouMean(
            name ?? "",
            rows.map((row) => row.name),
          ) || ": see cria data steps"
        }`,
      );
    if (io.json) io.stdout(`${JSON.stringify(wanted.map(asData))}\n`);
    else if (name === undefined)
      io.stdout(rows.map((row) => `${row.name.padEnd(18)} ${row.deeds.join(", ").padEnd(23)} ${row.summary}\n`).join(""));
    else io.stdout(wanted.map(asText).join(""));
    return 0;
  },
};

function asData({ name, summary, source, deeds, reasons, parameters }: Row) {
  return { name, summary, source, deeds, reasons, parameters: parametersOf(parameters) };
}

function parametersOf(parameters: z.ZodType): { readonly name: string; readonly default: unknown; readonly help: string }[] {
  if (!(parameters instanceof z.ZodObject)) return [];
  return Object.entries(parameters.shape).map(([name, schema]) => ({
    name,
    default: (schema as z.ZodType).safeParse(undefined).data ?? null,
    help: (schema as z.ZodType).description ?? "",
  }));
}

function asText(row: Row): string {
  const parameters = parametersOf(row.parameters).map(
    ({ name, default: usual, help }) => `  ${name.padEnd(22)} ${usual === null ? "none" : JSON.stringify(usual)}\n      ${help}\n`,
  );
  const reasons = Object.entries(row.reasons).map(([reason, sentence]) => `  ${reason.padEnd(22)} ${sentence}\n`);
  const list = (title: string, lines: readonly string[]) => (lines.length === 0 ? "" : `\n${title}:\n${lines.join("")}`);
  return `${row.name} ${row.summary}\nfrom ${row.source}\n${list("parameters and their defaults", parameters)}${list("reasons for which documents go", reasons)}`;
}
