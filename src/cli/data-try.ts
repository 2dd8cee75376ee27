// cria data try: one document's way through the steps of a recipe's source.
import { dirname } from "node:path";
import { UsageError } from "../base/index.ts";
import { readTextFile } from "../files/index.ts";
import { hasSteps, lineChanges, type TriedStep, tryDocument } from "../pipeline/index.ts";
import type { Command, CommandIo } from "./command.ts";
import { onlyArgument } from "./data-text.ts";
import { required, stringFlag } from "./flag-values.ts";
import { readDataRecipe } from "./recipe-kinds.ts";

const where = "data try";

/** Shows what each step makes of a document. */
export const tryCommand: Command = {
  name: "try",
  summary: "one document's way through the steps of a recipe",
  usage: "RECIPE.yaml --file FILE",
  flags: [
    { name: "file", type: "string", value: "FILE", required: true, help: "the document; - reads it from stdin" },
    { name: "source", type: "string", value: "NAME", help: "the source whose steps are tried, where several have some" },
  ],
  async run(args, flags, io) {
    const path = onlyArgument(args, where, "RECIPE.yaml");
    const file = required(stringFlag(flags, "file"), where, "file");
    const sources = (await readDataRecipe(path, where, io)).sources.filter(hasSteps);
    const name = stringFlag(flags, "source");
    const [source, other] = name === undefined ? sources : sources.filter((one) => one.name === name);
    const names = sources.map((one) => one.name).join(", ");
    if (source === undefined)
      throw new UsageError(
        where,
        sources.length === 0 ? `${path}: no source has steps` : `${path}: "${name}" is no source with steps: ${names} have some`,
      );
    if (other !== undefined) throw new UsageError(where, `${path}: several sources have steps: choose one of ${names} by --source`);
    const text = file === "-" ? new TextDecoder().decode(await io.stdin()) : await readTextFile(file, where);
    const tried = await tryDocument(source.steps, text, path, dirname(path));
    if (io.json) io.stdout(`${JSON.stringify({ source: source.name, steps: tried })}\n`);
    else tell(tried, text, io);
    return 0;
  },
};

function tell(tried: readonly TriedStep[], text: string, io: CommandIo): void {
  let current = text;
  for (const step of tried) {
    io.stdout(`${step.step.padEnd(18)} ${said(step)}\n`);
    if (step.text === undefined) continue;
    io.stdout(lineDifference(current, step.text));
    current = step.text;
  }
  io.stdout(
    tried.at(-1)?.did === "dropped" ? "the document goes\n" : `the document stays, ${current.length} of ${text.length} characters\n`,
  );
}

function said({ did, reason, because, measured, limit }: TriedStep): string {
  if (did !== "dropped") return did;
  const values = measured === undefined ? "" : ` (${round(measured)}${limit === undefined ? "" : `, the limit is ${round(limit)}`})`;
  return `dropped it, ${reason}: it ${because}${values}`;
}

function round(value: number | string): string {
  return typeof value === "number" ? String(Number(value.toPrecision(3))) : value;
}

const mostLines = 20;

/** Lines that went and lines that came. */
function lineDifference(before: string, after: string): string {
  const lines = lineChanges(before, after).flatMap(({ mark, line }) => (mark === " " ? [] : [`  ${mark} ${line}\n`]));
  const more = lines.length > mostLines ? `  … ${lines.length - mostLines} more lines\n` : "";
  return lines.slice(0, mostLines).join("") + more;
}
