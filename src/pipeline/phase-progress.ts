// How far a phase is, for people: its tasks that are done and the shares of those that run, in bytes of the sources' texts.
import type { OnProgress } from "../base/index.ts";
import type { OpenedSource, Phase, PhaseKind, Task } from "./phases.ts";
import { speedOf } from "./step-times.ts";

/** A phase among all, whose open tasks are done. */
export interface ToldPhase {
  readonly phase: Phase;
  /** Its number, from 0, and how many phases there are. */
  readonly number: number;
  readonly phases: number;
  readonly tasks: readonly Task[];
  readonly sources: readonly OpenedSource[];
}

const words: Readonly<Record<PhaseKind, string>> = {
  ...{ pass: "cleaning", compare: "comparing", join: "joining clusters", summarise: "summarising" },
};

/** Adds up what tasks tell. */
export class PhaseProgress {
  readonly #told: ToldPhase;
  readonly #progress: OnProgress;
  readonly #total: number;
  /** The share that is done of each task that has begun. */
  readonly #shares = new Map<Task, number>();
  readonly #began = performance.now();
  #done = 0;

  constructor(told: ToldPhase, progress: OnProgress = () => undefined) {
    [this.#told, this.#progress] = [told, progress];
    this.#total = told.tasks.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Hears that so much of a task is done: 1 is all of it. */
  task(task: Task, share: number): void {
    const known = this.#shares.get(task) ?? 0;
    const now = Math.min(1, Math.max(known, share));
    this.#shares.set(task, now);
    this.#done += task.bytes * (now - known);
    const done = Math.min(this.#total, this.#done);
    const { phase, number, phases, sources } = this.#told;
    const seconds = (performance.now() - this.#began) / 1000;
    const { source, stages } = sources[task.source]!;
    const step = phase.kind === "pass" ? undefined : stages[phase.stage]?.behind?.row.name;
    const place = step === undefined ? source.name : `${source.name}, ${step}`;
    this.#progress({
      ...{ task: `phase ${number + 1}/${phases}, ${words[phase.kind]}`, done, total: this.#total, unit: "bytes" },
      note: `${place} · ${speedOf(done, Math.max(1e-3, seconds))} MB/s`,
    });
  }
}
