// cria data prepare on many machines: its phases as a script, and one of them, or a machine's part of it.
import { dirname, resolve } from "node:path";
import { UsageError } from "../base/index.ts";
import type { DataRecipe } from "../corpus/index.ts";
import { type OpenedJob, openRecipeJob, parseShard, phasesOf, runPhases, TokenPhase } from "../pipeline/index.ts";
import type { CommandIo, Flags } from "./command.ts";
import { booleanFlag, oneOfFlag, required, stringFlag, wholeFlag } from "./flag-values.ts";
import { loadTokenizer } from "./load-tokenizer.ts";
import { type ScriptPhase, schedulerNames, schedulerScript } from "./scheduler-scripts.ts";
import { tellNotes } from "./text-flags.ts";

const where = "data prepare";

/** What the command was asked for. */
export interface Asked {
  readonly path: string;
  readonly recipe: DataRecipe;
  readonly out: string;
  readonly work: string;
  /** Bytes of memory that cleaning may take. */
  readonly memory: number | undefined;
}

/** Where a recipe's paths start, where its intermediate files are, the memory that decides how these are cut, and what hears of a recipe that changed. */
export function placesOf({ path, work, memory }: Asked, io: Pick<CommandIo, "stderr">) {
  return { folder: dirname(path), work, memory, onChange: (sentence: string) => tellNotes([sentence], io) };
}

/** How the work runs. */
export function running(flags: Flags, io: CommandIo) {
  return { threads: wholeFlag(flags, where, "threads"), progress: io.progress, signal: io.signal };
}

/** @throws UsageError where a flag of a plan stands without it */
export function checkPlanFlags(flags: Flags): void {
  const isPlan = booleanFlag(flags, "plan");
  for (const name of ["scheduler", "machines"])
    if (!isPlan && flags[name] !== undefined) throw new UsageError(where, `--${name} is for --plan, which prints a script: give it, too`);
  const scheduler = oneOfFlag(flags, where, "scheduler", schedulerNames) ?? "shell";
  if (scheduler === "shell" && flags.machines !== undefined)
    throw new UsageError(
      where,
      `--machines is for the arrays of a scheduler: name one of ${schedulerNames.slice(1).join(", ")} by --scheduler`,
    );
  if (scheduler !== "shell" && flags.machines === undefined)
    throw new UsageError(where, `--machines is missing: say how many share a phase of ${scheduler}, at most`);
}

/** Begins the work, and prints its phases as a script. */
export async function tellPlan(asked: Asked, flags: Flags, io: CommandIo): Promise<number> {
  const opened = await openJob(asked, io, false);
  await using tokens = await tokenPhaseOf(asked, opened, flags, io);
  const rows = phaseRows(opened, tokens);
  const machines = wholeFlag(flags, where, "machines") ?? 1;
  const scheduler = oneOfFlag(flags, where, "scheduler", schedulerNames) ?? "shell";
  if (io.json) io.stdout(`${JSON.stringify({ work: asked.work, phases: rows })}\n`);
  else
    io.stdout(
      schedulerScript(scheduler, { phases: rows, machines, cria: io.caller.cria, words: wordsOf(asked, flags, scheduler === "shell") }),
    );
  return 0;
}

/** The words that prepare the data again; with whole paths where a scheduler chooses the working folder. */
function wordsOf({ path, out, work }: Asked, flags: Flags, isHere: boolean): readonly string[] {
  const place = (name: string) => (isHere ? name : resolve(name));
  const tokenizer = String(flags.tokenizer);
  const named = ["--tokenizer", tokenizer.startsWith("hf:") ? tokenizer : place(tokenizer), "--out", place(out), "--work", place(work)];
  const memory = flags.memory === undefined ? [] : ["--memory", String(flags.memory)];
  return ["data", "prepare", place(path), ...named, ...memory];
}

/** Does one phase, or a machine's part of it. */
export async function runOnePhase(asked: Asked, flags: Flags, io: CommandIo): Promise<number> {
  const phase = required(wholeFlag(flags, where, "phase", 0), where, "phase");
  const text = stringFlag(flags, "shard");
  const shard = text === undefined ? undefined : parseShard(text, process.env, where);
  const opened = await openJob(asked, io, true);
  const count = phasesOf(opened.sources).length;
  if (phase === count) {
    await using tokens = await tokenPhaseOf(asked, opened, flags, io);
    await tokens.run(shard);
  } else if (phase < count) await runPhases(opened.job, { ...running(flags, io), memory: asked.memory, phase, shard }, opened.sources);
  else throw new UsageError(where, `--phase is ${phase}, but the recipe has ${count + 1} phases, from 0`);
  const done = { work: asked.work, phase, phases: count + 1, ...(shard !== undefined && { shard }) };
  const part = shard === undefined ? "" : `, part ${shard.index} of ${shard.count},`;
  io.stdout(io.json ? `${JSON.stringify(done)}\n` : `phase ${phase} of 0 to ${count}${part} is done in ${asked.work}\n`);
  return 0;
}

async function openJob(asked: Asked, io: CommandIo, isOneOfMany: boolean): Promise<OpenedJob> {
  const opened = await openRecipeJob(asked.recipe, { ...placesOf(asked, io), isOneOfMany, signal: io.signal });
  if (opened === undefined)
    throw new UsageError(where, `${asked.path}: no source has steps, so there are no phases: leave out --plan and --phase`);
  return opened;
}

async function tokenPhaseOf(asked: Asked, opened: OpenedJob, flags: Flags, io: CommandIo): Promise<TokenPhase> {
  const tokenizer = await loadTokenizer(required(stringFlag(flags, "tokenizer"), where, "tokenizer"), io);
  return TokenPhase.open(asked.recipe, opened, tokenizer, { ...placesOf(asked, io), ...running(flags, io) });
}

/** All phases by their numbers: those of the cleaning, and the one that makes tokens. */
function phaseRows({ sources }: OpenedJob, { parts }: TokenPhase): readonly (ScriptPhase & { readonly bytes: number })[] {
  const rows = [...phasesOf(sources), { kind: "tokens", tasks: parts }];
  return rows.map(({ kind, tasks }, phase) => ({
    ...{ phase, kind, tasks: tasks.length },
    bytes: tasks.reduce((sum: number, task) => sum + task.bytes, 0),
  }));
}
