// Which part of a phase this machine does: said outright, or read from what schedulers of array jobs put into the environment.
import { check, fail } from "../base/index.ts";
import type { Shard } from "./run-phases.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** What a scheduler says: the number of this job and how many there are, where it tells. */
interface Scheduler {
  readonly name: string;
  readonly read: (env: Environment) => { readonly index: number; readonly count: number | undefined } | undefined;
}

/** Slurm counts from SLURM_ARRAY_TASK_MIN in steps of SLURM_ARRAY_TASK_STEP (sbatch's manual, output environment variables). */
const schedulers: readonly Scheduler[] = [
  {
    name: "Slurm",
    read: (env) => {
      const [id, least, step, count] = ["ID", "MIN", "STEP", "COUNT"].map((name) => numberOf(env, `SLURM_ARRAY_TASK_${name}`));
      return id === undefined ? undefined : { index: (id - (least ?? 0)) / (step ?? 1), count };
    },
  },
  {
    name: "AWS Batch",
    read: (env) => {
      const index = numberOf(env, "AWS_BATCH_JOB_ARRAY_INDEX");
      return index === undefined ? undefined : { index, count: numberOf(env, "AWS_BATCH_JOB_ARRAY_SIZE") };
    },
  },
  {
    name: "Kubernetes",
    read: (env) => {
      const index = numberOf(env, "JOB_COMPLETION_INDEX");
      return index === undefined ? undefined : { index, count: undefined };
    },
  },
];

function numberOf(env: Environment, name: string): number | undefined {
  const text = env[name];
  return text === undefined || text === "" ? undefined : Number(text);
}

/**
 * Reads "3/100" (from 0), or "env" and "env/100" for what Slurm's job arrays, AWS Batch and Kubernetes' indexed jobs say; Kubernetes does not tell how many
 * jobs there are.
 * @throws CriaError where it is none of these, or the index is not below the count
 */
export function parseShard(text: string, env: Environment, where = "data"): Shard {
  const [, first = "", last] = /^(\d+|env)(?:\/(\d+))?$/.exec(text) ?? [];
  check(first !== "", where, () => `the shard is "${text}" but must be INDEX/COUNT, such as 0/100, or env for what a scheduler says`);
  const found = first === "env" ? fromScheduler(env, where) : { index: Number(first), count: undefined };
  const count = last === undefined ? found.count : Number(last);
  if (count === undefined)
    return fail(
      where,
      `the shard is "${text}", which does not say how many there are: give the count behind a slash, such as ${first}/100`,
    );
  check(
    Number.isSafeInteger(found.index) && Number.isSafeInteger(count) && found.index >= 0 && found.index < count,
    where,
    () =>
      `the shard is ${found.index} of ${count}, but must be a whole number from 0 to ${count - 1}${first === "env" ? ": an array with gaps has other numbers: submit all of it again, because what is done is passed over, or give INDEX/COUNT" : ""}`,
  );
  return { index: found.index, count };
}

function fromScheduler(env: Environment, where: string): { readonly index: number; readonly count: number | undefined } {
  for (const { read } of schedulers) {
    const found = read(env);
    if (found !== undefined) return found;
  }
  return fail(where, `the shard is env, but none of ${schedulers.map(({ name }) => name).join(", ")} says a number here: give INDEX/COUNT`);
}
