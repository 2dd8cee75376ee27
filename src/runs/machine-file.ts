// RUN/machine.json: what a run trains on, for who watches it. Written anew each time that training begins or goes on.
import { atomicWriteJson, readTextFile } from "../files/index.ts";
import { runPaths } from "./run-folder.ts";

const where = "run";

/** What a run trains on. */
export interface RunMachine {
  /** The backend as it names itself: target and threads. */
  readonly backend: string;
  /** Bytes that training takes. */
  readonly memory: number;
  /** Floating-point operations per trained token, matrix work only. */
  readonly flopsPerToken: number;
  /** Operations per second of a large matrix product here; absent where none was measured. */
  readonly matmulRate?: number | undefined;
}

/** @throws CriaError when the file cannot be written */
export async function writeMachine(folder: string, machine: RunMachine): Promise<void> {
  await atomicWriteJson(runPaths(folder).machine, machine, where);
}

/** Undefined where a run has no such file, as those of earlier versions, or it is none that training wrote. */
export async function readMachine(folder: string): Promise<RunMachine | undefined> {
  try {
    const value = JSON.parse(await readTextFile(runPaths(folder).machine, where)) as Partial<RunMachine> | null;
    const { backend, memory, flopsPerToken, matmulRate } = value ?? {};
    if (typeof backend !== "string" || typeof memory !== "number" || typeof flopsPerToken !== "number") return undefined;
    return { backend, memory, flopsPerToken, ...(typeof matmulRate === "number" && { matmulRate }) };
  } catch {
    return undefined;
  }
}
