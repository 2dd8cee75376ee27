// cria data steps: the steps and presets that recipes may name, from their rows.
import type { z } from "zod";
import { didYouMean, UsageError } from "../base/index.ts";
import {
  corpusStepRows,
  cutStepRows,
  type Preset,
  parametersOf,
  presetSteps,
  presets,
  type StepEntries,
  type StepRow,
  stepRows,
} from "../clean/index.ts";
import type { Command } from "./command.ts";

type Row = Pick<StepRow, "name" | "summary" | "source" | "deeds" | "reasons" | "parameters">;

const rows: readonly Row[] = [...stepRows, ...cutStepRows, ...corpusStepRows];

/** Lists steps and presets, or tells one in full. */
export const stepsCommand: Command = {
  name: "steps",
  summary:
    "the steps of cleaning and the presets that a recipe may name; with a name, its parameters, their sources, and its reasons or steps",
  usage: "[STEP|PRESET]",
  flags: [],
  async run(args, _, io) {
    const [name, more] = args;
    if (more !== undefined) throw new UsageError("data steps", `"${more}" is one too many: name one step or preset`);
    const isWanted = (one: { readonly name: string }) => name === undefined || one.name === name;
    const [steps, chains] = [rows.filter(isWanted), presets.filter(isWanted)];
    if (steps.length + chains.length === 0) {
      const near = didYouMean(
        name ?? "",
        [...rows, ...presets].map((one) => one.name),
      );
      throw new UsageError("data steps", `"${name}" is no step and no preset${near || ": see cria data steps"}`);
    }
    if (io.json) io.stdout(`${JSON.stringify([...steps.map(asData), ...chains.map(presetData)])}\n`);
    else if (name === undefined) io.stdout(`${rows.map(asLine).join("")}\npresets, as - preset: NAME\n${presets.map(presetLine).join("")}`);
    else io.stdout([...steps.map(asText), ...chains.map(presetText)].join(""));
    return 0;
  },
};

function asLine({ name, deeds, summary }: Row): string {
  return `${name.padEnd(18)} ${deeds.join(", ").padEnd(23)} ${summary}\n`;
}

function presetLine({ name, summary }: Preset): string {
  return `${name.padEnd(18)} ${summary}\n`;
}

function presetData(preset: Preset) {
  const { name, summary, source, parameters } = preset;
  return { preset: name, summary, source, parameters: parametersOf(parameters), steps: presetSteps(preset) };
}

function presetText(preset: Preset): string {
  const { name, summary, source, parameters } = preset;
  return `${name} ${summary}\nfrom ${source}\n${list("parameters and their defaults", parameterLines(parameters))}\nsteps:\n${stepsYaml(presetSteps(preset))}`;
}

/** Steps as a recipe lists them, a line each. */
export function stepsYaml(entries: StepEntries): string {
  const flow = (value: unknown): string => {
    if (Array.isArray(value)) return `[${value.map(flow).join(", ")}]`;
    if (typeof value !== "object" || value === null)
      return typeof value === "string" && /^[\w ]+$/.test(value) ? value : JSON.stringify(value);
    const pairs = Object.entries(value).map(([key, one]) => `${key}: ${flow(one)}`);
    return pairs.length === 0 ? "{}" : `{ ${pairs.join(", ")} }`;
  };
  const line = (entry: StepEntries[number]) =>
    typeof entry === "string" ? entry : Object.entries(entry).map(([name, parameters]) => `${name}: ${flow(parameters)}`)[0];
  return entries.map((entry) => `  - ${line(entry)}\n`).join("");
}

function asData({ name, summary, source, deeds, reasons, parameters }: Row) {
  return { name, summary, source, deeds, reasons, parameters: parametersOf(parameters) };
}

function parameterLines(parameters: z.ZodType): string[] {
  return parametersOf(parameters).map(
    ({ name, required, default: usual, help }) =>
      `  ${name.padEnd(22)} ${required ? "required" : usual === null ? "none" : JSON.stringify(usual)}\n      ${help}\n`,
  );
}

function list(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? "" : `\n${title}:\n${lines.join("")}`;
}

function asText(row: Row): string {
  const reasons = Object.entries(row.reasons).map(([reason, sentence]) => `  ${reason.padEnd(22)} ${sentence}\n`);
  return `${row.name} ${row.summary}\nfrom ${row.source}\n${list("parameters and their defaults", parameterLines(row.parameters))}${list("reasons for which documents go", reasons)}`;
}
