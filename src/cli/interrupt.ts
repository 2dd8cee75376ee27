// Ctrl-C, kill and a closed terminal become an AbortSignal, so that long work can save; the second one quits at once.
import { CriaError } from "../base/index.ts";

/** The number that a shell gives a program ended by this signal: 128 + the signal's. */
const exitCodes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

type Name = keyof typeof exitCodes;

/**
 * One Ctrl-C arrives twice when npm or npx started us: the terminal signals the whole process group, and npm passes its own copy on
 * (npm's run-script, signal-manager.js). Signals closer together than this are one.
 */
const samePressMs = 500;

/** Why the signal of {@link abortOnSignals} was aborted. */
export class Interrupted extends CriaError {
  readonly exitCode: number;
  constructor(name: Name) {
    super("cria", `interrupted (${name})`);
    this.name = "AbortError";
    this.exitCode = exitCodes[name];
  }
}

/** Handles signals for the rest of the process's life. `onFirst` may tell the person what happens now. */
export function abortOnSignals(onFirst: (name: Name) => void): AbortSignal {
  const controller = new AbortController();
  let last = Number.NEGATIVE_INFINITY;
  const handle = (name: Name) => {
    const now = performance.now();
    const again = now - last > samePressMs;
    last = now;
    if (!controller.signal.aborted) {
      onFirst(name);
      controller.abort(new Interrupted(name));
    } else if (again) process.exit(exitCodes[name]);
  };
  for (const name of Object.keys(exitCodes) as Name[]) process.on(name, handle);
  return controller.signal;
}
