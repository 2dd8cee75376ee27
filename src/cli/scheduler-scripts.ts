// The phases of a preparation as a script: for a person who runs line by line, or one that gives them to a scheduler as arrays of jobs. A script submits
// each phase when the one before has ended well, or has the scheduler wait for that; it may be run again at any time, because what is done is passed over.

import { check } from "../base/index.ts";
import { quoted } from "./hints.ts";

/** A phase as its script sees it. */
export interface ScriptPhase {
  readonly phase: number;
  readonly kind: string;
  /** It needs no more machines than this. */
  readonly tasks: number;
}

/** What a script does. */
export interface ScriptPlan {
  readonly phases: readonly ScriptPhase[];
  /** Machines that share a phase. */
  readonly machines: number;
  /** The words that call the program again. */
  readonly cria: string;
  /** The words behind them that prepare the data, with whole paths. */
  readonly words: readonly string[];
}

/** Schedulers that scripts are written for. */
export const schedulerNames = ["shell", "slurm", "kubernetes", "aws-batch"] as const;
/** One of them. */
export type SchedulerName = (typeof schedulerNames)[number];

/** So many jobs an array of each scheduler may have. Slurm's follows from MaxArraySize, which the cluster sets (slurm.conf(5)). */
const mostMachines: Readonly<Record<SchedulerName, number>> = {
  shell: Number.POSITIVE_INFINITY,
  slurm: 4_000_001,
  kubernetes: 100_000,
  "aws-batch": 10_000,
};

/** The script for a scheduler. @throws CriaError where its arrays cannot have as many jobs */
export function schedulerScript(name: SchedulerName, plan: ScriptPlan): string {
  const most = mostMachines[name];
  check(
    plan.machines <= most,
    "data prepare",
    () => `machines are ${plan.machines}, but an array of ${name} has at most ${most}: name fewer`,
  );
  return scripts[name](plan);
}

const scripts: Readonly<Record<SchedulerName, (plan: ScriptPlan) => string>> = {
  shell: ({ phases, cria, words }) => {
    const again = [cria, ...words.map(quoted)].join(" ");
    const lines = phases.map(
      ({ phase, kind, tasks }) => `${again} --phase ${phase}   # ${kind}: ${tasks === 1 ? "1 task" : `${tasks} tasks`}\n`,
    );
    return `set -e
# Each line does a phase, on this machine. On N machines run it on all of them, with --shard 0/N, 1/N and so on behind it, and the next when all have ended:
# a task is done by one machine. The last line makes the prepared folder, on one.
${lines.join("")}${again}
`;
  },

  // Slurm: an array waits for the one before by afterok (sbatch(1)).
  slurm: (plan) => {
    const jobs = jobsOf(plan, "env").map(
      ({ name, machines, words }) => `submit ${name} ${machines} ${shellWord([plan.cria, ...words.map(quoted)].join(" "))}`,
    );
    return `${head(plan, "SBATCH_OPTIONS holds more words for sbatch, such as a partition, a time limit or --array's throttle.")}
: "\${CPUS:=16}" "\${MEMORY:=32G}" "\${SBATCH_OPTIONS:=}"
after=
submit() { # name, machines, command
  after=$(sbatch --parsable --job-name="$1" --array="0-$(($2 - 1))" --cpus-per-task="$CPUS" --mem="$MEMORY" --requeue \\
    --kill-on-invalid-dep=yes \${after:+--dependency="afterok:$after"} $SBATCH_OPTIONS --wrap="$3 --threads $CPUS")
  after=\${after%%;*}
  echo "$1: job $after"
}
${jobs.join("\n")}
`;
  },

  // Kubernetes: an indexed job per phase. A pod that was evicted or preempted does not count as failed, one that failed is tried three times more.
  kubernetes: (plan) => {
    const jobs = jobsOf(plan, "count").map(
      ({ name, machines, words }) => `phase ${name} ${machines} ${shellWord(jsonWords(["cria", ...words]))}`,
    );
    return `${head(plan, "IMAGE has cria on its PATH; CLAIM is the volume claim that all pods write (ReadWriteMany), and MOUNT the folder that it is.")}
: "\${IMAGE:?}" "\${CLAIM:?}" "\${MOUNT:?}" "\${CPUS:=16}" "\${MEMORY:=32Gi}"
phase() { # name, machines, words of the command
  kubectl delete --ignore-not-found job "$1"
  kubectl apply -f - <<END
apiVersion: batch/v1
kind: Job
metadata: { name: "$1" }
spec:
  completionMode: Indexed
  completions: $2
  parallelism: $2
  backoffLimitPerIndex: 3
  podFailurePolicy:
    rules: [{ action: Ignore, onPodConditions: [{ type: DisruptionTarget }] }]
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: cria
          image: "$IMAGE"
          command: [$3, "--threads", "$CPUS"]
          resources:
            requests: { cpu: "$CPUS", memory: "$MEMORY" }
            limits: { memory: "$MEMORY" }
          volumeMounts: [{ name: data, mountPath: "$MOUNT" }]
      volumes: [{ name: data, persistentVolumeClaim: { claimName: "$CLAIM" } }]
END
  until kubectl wait --for=condition=complete --timeout=60s "job/$1"; do
    if [ "$(kubectl get job "$1" -o 'jsonpath={.status.conditions[?(@.type=="Failed")].status}')" = True ]; then
      echo "$1 has failed: kubectl logs job/$1 says why" >&2
      exit 1
    fi
  done
}
${jobs.join("\n")}
`;
  },

  // AWS Batch: an array has two jobs at least; a single job knows of no array, and does all of its phase.
  "aws-batch": (plan) => {
    const jobs = jobsOf(plan, "env").map(
      ({ name, machines, words }) =>
        `submit ${name} ${machines} ${shellWord(jsonWords(["cria", ...(machines === 1 ? withoutShard(words) : words)]))}`,
    );
    return `${head(plan, "IMAGE has cria on its PATH; QUEUE is the job queue, FILE_SYSTEM the id of the EFS file system, and MOUNT the folder that it is.")}
: "\${IMAGE:?}" "\${QUEUE:?}" "\${FILE_SYSTEM:?}" "\${MOUNT:?}" "\${CPUS:=16}" "\${MEMORY:=30720}"
definition=$(aws batch register-job-definition --job-definition-name cria-data-prepare --type container --retry-strategy attempts=5 \\
  --container-properties '{
    "image": "'"$IMAGE"'",
    "resourceRequirements": [{ "type": "VCPU", "value": "'"$CPUS"'" }, { "type": "MEMORY", "value": "'"$MEMORY"'" }],
    "volumes": [{ "name": "data", "efsVolumeConfiguration": { "fileSystemId": "'"$FILE_SYSTEM"'", "transitEncryption": "ENABLED" } }],
    "mountPoints": [{ "sourceVolume": "data", "containerPath": "'"$MOUNT"'" }]
  }' --query jobDefinitionArn --output text)
after=
submit() { # name, machines, words of the command
  if [ "$2" = 1 ]; then array=; else array="--array-properties size=$2"; fi
  after=$(aws batch submit-job --job-name "$1" --job-queue "$QUEUE" --job-definition "$definition" $array \${after:+--depends-on "jobId=$after"} \\
    --container-overrides '{ "command": ['"$3"', "--threads", "'"$CPUS"'"] }' --query jobId --output text)
  echo "$1: job $after"
}
${jobs.join("\n")}
`;
  },
};

function head({ phases, machines }: ScriptPlan, variables: string): string {
  return `#!/bin/bash
# Prepares the data in ${phases.length} phases, each on at most ${machines} machines, and makes of what they left one folder in the end.
# CPUS and MEMORY are those of one machine. ${variables}
set -euo pipefail`;
}

interface Job {
  readonly name: string;
  readonly machines: number;
  readonly words: readonly string[];
}

/** A job per phase, and the last one, which all machines' work becomes a folder by. @param counted whether the scheduler says how many jobs there are */
function jobsOf({ phases, machines, words }: ScriptPlan, counted: "env" | "count"): Job[] {
  const jobs = phases.map(({ phase, kind, tasks }) => {
    const most = Math.min(machines, tasks);
    const shard = counted === "env" ? "env" : `env/${most}`;
    return { name: `cria-${phase}-${kind}`, machines: most, words: [...words, "--phase", String(phase), "--shard", shard] };
  });
  return [...jobs, { name: "cria-prepare", machines: 1, words }];
}

function withoutShard(words: readonly string[]): readonly string[] {
  const at = words.indexOf("--shard");
  return at < 0 ? words : words.filter((_, i) => i !== at && i !== at + 1);
}

function jsonWords(words: readonly string[]): string {
  return words.map((word) => JSON.stringify(word)).join(", ");
}

/** One word of a POSIX shell. */
function shellWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
