// Runs the words of a command line to an exit code: finds the command, prints help, turns errors into messages.
import { CriaError, didYouMean, UsageError } from "../base/index.ts";
import { explainIo } from "../files/index.ts";
import type { Command, CommandGroup, CommandIo, CommandRows } from "./command.ts";
import { withFlags } from "./flag-hints.ts";
import { commandHelp, groupHelp, mainHelp } from "./help.ts";
import { Stopped } from "./interrupt.ts";
import { commonFlags, parseFlags, requireFlags } from "./parse.ts";

/** What the frame itself needs of the process. */
export interface Terminal extends Omit<CommandIo, "json"> {
  readonly version: string;
  /** Print stacks (`CRIA_DEBUG=1`). */
  readonly debug: boolean;
}

/** The width of text in a terminal: longer lines read badly; tables may be as wide as the terminal is. */
const widestText = 100;

/** Exit codes; a signal ends the process with its own code instead. */
export const exit = { ok: 0, failed: 1, usage: 2 } as const;

/** Runs one command line. Never throws; what it returns is the exit code. */
export async function runCli(words: readonly string[], rows: CommandRows, terminal: Terminal): Promise<number> {
  try {
    const code = await dispatch(words, rows, terminal);
    return terminal.signal.reason instanceof Stopped ? terminal.signal.reason.exitCode : code;
  } catch (error) {
    return reportError(error, words, terminal);
  }
}

async function dispatch(words: readonly string[], rows: CommandRows, terminal: Terminal): Promise<number> {
  const [name, rest] = firstWord(words);
  if (name === undefined) return withoutCommand(words, rows, terminal);
  if (name === "version") return withoutCommand([...rest, "--version"], rows, terminal);
  if (name === "help") return dispatch([...rest, "--help"], rows, terminal);
  const row = pick("cria", "command", name, rows);
  const found = await row.load();
  if (!("commands" in found)) return runCommand(found.name, found, rest, terminal);
  const [second, others] = firstWord(rest);
  if (second === undefined) return withoutSubcommand(found, rest, terminal);
  const command = await pick(found.name, "command", second, found.commands).load();
  return runCommand(`${found.name} ${command.name}`, command, others, terminal);
}

async function runCommand(path: string, command: Command, words: readonly string[], terminal: Terminal): Promise<number> {
  const rows = [...command.flags, ...commonFlags];
  const { args, flags } = parseFlags(path, rows, words);
  const { json, help, ...own } = flags;
  if (help) return print(terminal, json === true ? toJson({ ...command, name: path }) : commandHelp(path, command, textWidth(terminal)));
  requireFlags(path, command.flags, flags);
  const io: CommandIo = { ...terminal, json: json === true, progress: json === true ? () => {} : terminal.progress };
  try {
    return await command.run(args, own, io);
  } catch (error) {
    throw withFlags(error, command.flags);
  }
}

/** `cria`, `cria --help`, `cria --version`, `cria version`. */
function withoutCommand(words: readonly string[], rows: CommandRows, terminal: Terminal): number {
  const version = { name: "version", type: "boolean", help: "print the version" } as const;
  const { flags } = parseFlags(
    "cria",
    [...commonFlags, version],
    words.map((word) => (word === "-v" || word === "-V" ? "--version" : word)),
  );
  if (flags.version) return print(terminal, flags.json ? toJson({ version: terminal.version }) : `${terminal.version}\n`);
  const help = mainHelp(rows, textWidth(terminal));
  if (flags.help) return print(terminal, flags.json ? toJson(rows.map(({ name, summary }) => ({ name, summary }))) : help);
  if (flags.json) throw new UsageError("cria", "no command is named: see cria --help");
  terminal.stderr(help);
  return exit.usage;
}

/** `cria tokenizer`, `cria tokenizer --help`. */
async function withoutSubcommand(group: CommandGroup, words: readonly string[], terminal: Terminal): Promise<number> {
  const { flags } = parseFlags(group.name, commonFlags, words);
  if (flags.help && flags.json) {
    const commands = await Promise.all(group.commands.map((row) => row.load()));
    return print(terminal, toJson({ ...group, commands }));
  }
  if (flags.help) return print(terminal, groupHelp(group, textWidth(terminal)));
  if (flags.json) throw new UsageError(group.name, `no command is named: ${group.commands.map((one) => one.name).join(", ")}`);
  terminal.stderr(groupHelp(group, textWidth(terminal)));
  return exit.usage;
}

/** The first word that is no flag, and all the others. Flags that stand before a command's name take no value. */
function firstWord(words: readonly string[]): [string | undefined, readonly string[]] {
  const at = words.findIndex((word) => !word.startsWith("-"));
  return at < 0 ? [undefined, words] : [words[at], [...words.slice(0, at), ...words.slice(at + 1)]];
}

function pick<T extends { readonly name: string }>(where: string, what: string, name: string, rows: readonly T[]): T {
  const found = rows.find((row) => row.name === name);
  if (found !== undefined) return found;
  const names = rows.map((row) => row.name);
  const near = didYouMean(name, names);
  throw new UsageError(where, `unknown ${what} "${name}"${near === "" ? `: there are ${names.join(", ")}` : near}`);
}

/** The message on stderr, with `--json` an object on stdout too; returns the exit code. */
export function reportError(error: unknown, words: readonly string[], terminal: Terminal): number {
  const { reason } = terminal.signal;
  const interrupted = reason instanceof Stopped && (error === reason || (error instanceof Error && error.name === "AbortError"));
  const known = interrupted ? reason : explain(error, terminal.debug);
  if (known instanceof Stopped && known.isQuiet) return known.exitCode;
  if (beforeTerminator(words).includes("--json")) terminal.stdout(toJson({ error: { where: known.where, message: known.message } }));
  terminal.stderr(`${terminal.debug && !interrupted ? withCauses(known) : known.message}\n`);
  if (known instanceof Stopped) return known.exitCode;
  return known instanceof UsageError ? exit.usage : exit.failed;
}

/** Anything thrown, in the house's form. */
function explain(error: unknown, debug: boolean): CriaError {
  if (error instanceof CriaError) return error;
  const { path, syscall } = error as NodeJS.ErrnoException;
  if (path !== undefined && syscall !== undefined) return explainIo("cria", path, error);
  const hint = debug ? "" : ", CRIA_DEBUG=1 shows where";
  return new CriaError("cria", `${error instanceof Error ? error.message : String(error)}: this is a bug in cria${hint}`, { cause: error });
}

function withCauses(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by: ${withCauses(error.cause)}` : "";
  return `${error.stack ?? error.message}${cause}`;
}

function textWidth({ width }: Terminal): number {
  return Number.isFinite(width) ? Math.min(width, widestText) : width;
}

function print(terminal: Terminal, text: string): number {
  terminal.stdout(text);
  return exit.ok;
}

function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function beforeTerminator(words: readonly string[]): readonly string[] {
  const end = words.indexOf("--");
  return end < 0 ? words : words.slice(0, end);
}
