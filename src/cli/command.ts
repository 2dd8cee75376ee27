// What a command is: a plain record. Parsing, --help and exit codes follow from it and live elsewhere (ripgrep's flags as rows).
import type { OnProgress } from "../base/index.ts";
import type { Caller } from "./hints.ts";

/** One row a flag: `--name VALUE`, or `--name` alone when boolean. */
export interface FlagRow {
  /** The flag's name without the dashes, in kebab-case; the parsed value stands under this very name. */
  readonly name: string;
  readonly type: "string" | "number" | "boolean";
  readonly default?: string | number | boolean;
  /** The number is a length in tokens or a vocabulary's size, for which "8k" may mean 8000 or 8192 and is refused. */
  readonly isLength?: true;
  /** What help calls the value: TEXT or N by its type where nothing is said. */
  readonly value?: string;
  readonly help: string;
  readonly required?: boolean;
  /** May be given several times; the value is then an array. */
  readonly repeat?: boolean;
}

/** A parsed flag; undefined where it was not given and has no default. */
export type FlagValue = string | number | boolean | readonly string[] | readonly number[] | undefined;
/** Parsed flags by name. */
export type Flags = Readonly<Record<string, FlagValue>>;

/** What a command may touch of the terminal. `--json` is every command's flag: it arrives here, not in `flags`. */
export interface CommandIo {
  stdout(text: string): void;
  stderr(text: string): void;
  /** Print one JSON document on stdout and nothing else. */
  readonly json: boolean;
  stdin(): Promise<Uint8Array>;
  /** The same as it comes, for input that need not fit in memory. */
  stdinChunks(): AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal;
  /** When the program was started, in milliseconds of performance.now(): what minutes are counted from. */
  readonly began: number;
  /** How the program was called, for commands to type next. */
  readonly caller: Caller;
  /** Columns of the terminal that stdout goes to; Infinity where it goes to a pipe or a file, in which nothing is wrapped. */
  readonly width: number;
  /** Whether a person sits in front of stdin and stdout; not where it is left out. */
  readonly isTerminal?: boolean;
  /** Whether stdout shows colours: a terminal that can, whose user has not set NO_COLOR. */
  readonly colours: boolean;
  readonly progress: OnProgress;
}

/** One command. Inside a {@link CommandGroup} `name` is the second word alone ("train"). */
export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What follows the name: "--out FILE TEXT...". */
  readonly usage: string;
  readonly flags: readonly FlagRow[];
  /** Ends the command's help: a file that it reads, to copy and change, or the keys that it prints. */
  readonly example?: { readonly title: string; readonly text: string };
  /** Resolves to the exit code; throws a UsageError for 2, any other error for 1. `args` are the words that are no flags. */
  run(args: readonly string[], flags: Flags, io: CommandIo): Promise<number>;
}

/** A word with commands of its own: `cria tokenizer train`, `cria tokenizer encode`. */
export interface CommandGroup {
  readonly name: string;
  readonly summary: string;
  readonly commands: readonly CommandRow[];
}

/** A command by its name. Its file is read only when it is asked for, so that help answers at once and a command takes memory for itself alone. */
export interface CommandRow<Loaded extends Command | CommandGroup = Command> {
  readonly name: string;
  readonly summary: string;
  load(): Promise<Loaded>;
}

/** All commands, as commands.ts has them. */
export type CommandRows = readonly CommandRow<Command | CommandGroup>[];

/** The row of a command whose file is read already. */
export function rowOf<Loaded extends Command | CommandGroup>(loaded: Loaded): CommandRow<Loaded> {
  return { name: loaded.name, summary: loaded.summary, load: async () => loaded };
}
