// Ctrl-C, kill, a closed terminal and a reader that leaves become an AbortSignal, so that long work can save; the second signal quits at once.
import { CriaError } from "../base/index.ts";
import { explainIo } from "../files/index.ts";

/** The number that a shell gives a program ended by this signal: 128 + the signal's. */
const exitCodes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** What the field's programs end with when the reader of their output has left: 128 + SIGPIPE's 13. */
const closedPipe = 141;

type Name = keyof typeof exitCodes;

/**
 * One Ctrl-C arrives twice when npm or npx started us: the terminal signals the whole process group, and npm passes its own copy on
 * (npm's run-script, signal-manager.js). Signals closer together than this are one.
 */
const samePressMs = 500;

/** Why the signal of a command was aborted, and what the process ends with then. */
export class Stopped extends CriaError {
  readonly exitCode: number;
  /** The message is not printed: it was, or nobody wants it. */
  readonly isQuiet: boolean;
  constructor(message: string, exitCode: number, isQuiet: boolean) {
    super("cria", message);
    this.name = "AbortError";
    this.exitCode = exitCode;
    this.isQuiet = isQuiet;
  }
}

/** The command was stopped by a signal of the system. */
export class Interrupted extends Stopped {
  constructor(name: Name) {
    super(`interrupted (${name})`, exitCodes[name], false);
  }
}

/** Stdout takes nothing more: its reader has left, as `head` does when it has its lines, or its disk is full. */
export class OutputClosed extends Stopped {
  /** A reader that left has enough. */
  readonly hasReaderLeft: boolean;
  constructor(error: NodeJS.ErrnoException) {
    const hasLeft = error.code === "EPIPE";
    const message = hasLeft ? "the reader of the output has left" : explainIo("cria", "stdout", error).message.replace("[cria] ", "");
    super(message, hasLeft ? closedPipe : 1, true);
    this.hasReaderLeft = hasLeft;
  }
}

/** Handles signals for the rest of the process's life. `onFirst` may tell the person what happens now. */
export function abortOnSignals(controller: AbortController, onFirst: (name: Name) => void): void {
  let last = Number.NEGATIVE_INFINITY;
  const handle = (name: Name) => {
    const now = performance.now();
    const again = now - last > samePressMs;
    const isFirst = last === Number.NEGATIVE_INFINITY;
    last = now;
    if (isFirst) {
      onFirst(name);
      controller.abort(new Interrupted(name));
    } else if (again) process.exit(exitCodes[name]);
  };
  for (const name of Object.keys(exitCodes) as Name[]) process.on(name, handle);
}
