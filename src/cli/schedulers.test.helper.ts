// Schedulers for tests: commands by their names that write down what they are given. The tasks of a job are then run with the environment that its scheduler
// sets (sbatch(1), "output environment variables"; Kubernetes' indexed jobs; AWS Batch's array jobs).
import { execFile, spawn } from "node:child_process";
import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { parse } from "yaml";
import { hashFile } from "../files/index.ts";

type Environment = Readonly<Record<string, string>>;

/** A job of some tasks, as its scheduler has it. */
export interface ScheduledJob {
  readonly name: string;
  readonly tasks: number;
  /** What each task runs. */
  readonly command: readonly string[];
  /** The job that has to end well before. */
  readonly after: string | undefined;
  readonly id: string;
  env(task: number): Environment;
}

/** The numbers that Slurm gives the tasks of an array: "10-14:2" is the first and the step. */
export interface SlurmNumbers {
  readonly min: number;
  readonly step: number;
}

/** A folder of commands for a script's PATH. */
export class FakeSchedulers {
  readonly #folder: string;

  /** @param cria what `cria` and `npx` are: a line of a shell */
  static async make(folder: string, cria: string): Promise<FakeSchedulers> {
    const fake = new FakeSchedulers(folder);
    await mkdir(join(folder, "bin"), { recursive: true });
    await mkdir(join(folder, "calls"));
    const record = `call=$(printf '%s/calls/%03d' '${folder}' "$(ls '${folder}/calls' | wc -l)"); mkdir "$call"; printf '%s\\0' "\${0##*/}" "$@" > "$call/words"\n`;
    await fake.#write("sbatch", `${record}echo "10$(basename "$call");cluster"`);
    await fake.#write("kubectl", `${record}if [ "$1" = apply ]; then cat > "$call/stdin"; fi`);
    await fake.#write("aws", `${record}echo "\${2%%-*}-$(basename "$call")"`);
    await fake.#write("cria", cria);
    await fake.#write("npx", `shift; ${cria}`);
    return fake;
  }

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** A PATH on which the commands come first. */
  get path(): string {
    return `${join(this.#folder, "bin")}:${process.env.PATH ?? ""}`;
  }

  /** Runs a script. @returns the words of every command, and what it read */
  async run(script: string, env: Environment): Promise<readonly { readonly words: readonly string[]; readonly stdin: string }[]> {
    const file = join(this.#folder, "script.sh");
    await writeFile(file, script);
    await promisify(execFile)("bash", [file], { env: { ...env, PATH: this.path } });
    const calls = (await readdir(join(this.#folder, "calls"))).sort();
    return Promise.all(
      calls.map(async (call) => {
        const read = (name: string) => readFile(join(this.#folder, "calls", call, name), "utf8");
        return { words: (await read("words")).split("\0").slice(0, -1), stdin: await read("stdin").catch(() => "") };
      }),
    );
  }

  /** Starts one task of a job, in a process group of its own. */
  task({ command, env }: ScheduledJob, task: number): { readonly pid: number | undefined; readonly ended: Promise<Ended> } {
    const [program = "", ...words] = command;
    const child = spawn(program, words, {
      env: { ...env(task), PATH: this.path },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk) => {
        output += chunk;
      });
    const ended = new Promise<Ended>((resolve, reject) => child.on("error", reject).on("close", (code) => resolve({ code, output })));
    return { pid: child.pid, ended };
  }

  async #write(name: string, line: string): Promise<void> {
    const path = join(this.#folder, "bin", name);
    await writeFile(path, `#!/bin/sh\n${line}\n`);
    await chmod(path, 0o755);
  }
}

/** How a process ended. */
export interface Ended {
  /** Null where it was killed. */
  readonly code: number | null;
  readonly output: string;
}

type Calls = Awaited<ReturnType<FakeSchedulers["run"]>>;

/** The value of `--name=value` or `--name value`. */
function optionOf(words: readonly string[], name: string): string | undefined {
  const at = words.findIndex((word) => word === `--${name}` || word.startsWith(`--${name}=`));
  return at < 0 ? undefined : words[at] === `--${name}` ? words[at + 1] : words[at]!.slice(name.length + 3);
}

/** The jobs of a script for Slurm, whose arrays may be numbered otherwise. */
export function slurmJobs(calls: Calls, { min, step }: SlurmNumbers): readonly ScheduledJob[] {
  return calls.map(({ words }, call) => {
    const tasks = 1 + Number(optionOf(words, "array")?.replace(/^0-/, ""));
    const numbers = { MIN: min, MAX: min + step * (tasks - 1), STEP: step, COUNT: tasks };
    const env = (task: number) =>
      Object.fromEntries(
        Object.entries({ ID: min + step * task, ...numbers }).map(([key, value]) => [`SLURM_ARRAY_TASK_${key}`, `${value}`]),
      );
    const common = { id: `10${String(call).padStart(3, "0")}`, after: optionOf(words, "dependency")?.replace("afterok:", "") };
    return { ...common, name: optionOf(words, "job-name")!, tasks, command: ["sh", "-c", optionOf(words, "wrap")!], env };
  });
}

/** The jobs of a script for Kubernetes; a job is after the one that was waited for last. */
export function kubernetesJobs(calls: Calls): readonly (ScheduledJob & { readonly manifest: KubernetesJob })[] {
  let waited: string | undefined;
  return calls.flatMap(({ words, stdin }) => {
    if (words[1] === "wait") waited = words.at(-1)!.replace("job/", "");
    if (words[1] !== "apply") return [];
    const manifest = parse(stdin) as KubernetesJob;
    const { name } = manifest.metadata;
    const { command } = manifest.spec.template.spec.containers[0]!;
    const env = (task: number) => ({ JOB_COMPLETION_INDEX: String(task) });
    return [{ id: name, name, after: waited, tasks: manifest.spec.completions, command, env, manifest }];
  });
}

/** What of a manifest tests look at. */
export interface KubernetesJob {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly completionMode: string;
    readonly completions: number;
    readonly parallelism: number;
    readonly template: {
      readonly spec: {
        readonly containers: readonly {
          readonly image: string;
          readonly command: readonly string[];
          readonly volumeMounts: readonly { readonly mountPath: string }[];
        }[];
        readonly volumes: readonly unknown[];
      };
    };
  };
}

/** The jobs of a script for AWS Batch, and its job definition. */
export function batchJobs(calls: Calls): { readonly definition: unknown; readonly jobs: readonly ScheduledJob[] } {
  const definition: unknown = JSON.parse(optionOf(calls[0]!.words, "container-properties")!);
  const jobs = calls.slice(1).map(({ words }, call) => {
    const size = optionOf(words, "array-properties")?.replace("size=", "");
    const command = JSON.parse(optionOf(words, "container-overrides")!).command as string[];
    const env = (task: number): Environment =>
      size === undefined ? {} : { AWS_BATCH_JOB_ARRAY_INDEX: String(task), AWS_BATCH_JOB_ARRAY_SIZE: size };
    const after = optionOf(words, "depends-on")?.replace("jobId=", "");
    return {
      id: `submit-${String(call + 1).padStart(3, "0")}`,
      name: optionOf(words, "job-name")!,
      after,
      tasks: Number(size ?? 1),
      command,
      env,
    };
  });
  return { definition, jobs };
}

/** Hashes of the files of a prepared folder but for those that hold measured times. */
export async function preparedHashes(folder: string): Promise<Readonly<Record<string, string>>> {
  const names = (await readdir(folder)).filter((name) => !["cleaning-times.json", "cleaning.html"].includes(name)).sort();
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await hashFile(join(folder, name))])));
}
