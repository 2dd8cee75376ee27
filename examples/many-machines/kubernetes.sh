#!/bin/bash
# Prepares the data in 4 phases, each on at most 63 machines, and makes of what they left one folder in the end.
# CPUS and MEMORY are those of one machine. IMAGE has cria on its PATH; CLAIM is the volume claim that all pods write (ReadWriteMany), and MOUNT the folder that it is.
set -euo pipefail
: "${IMAGE:?}" "${CLAIM:?}" "${MOUNT:?}" "${CPUS:=16}" "${MEMORY:=32Gi}"
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
phase cria-0-pass 63 '"cria", "data", "prepare", "/data/llama.yaml", "--tokenizer", "/data/tokenizer.model", "--out", "/data/shards", "--work", "/data/shards.work", "--memory", "28GB", "--phase", "0", "--shard", "env/63"'
phase cria-1-compare 63 '"cria", "data", "prepare", "/data/llama.yaml", "--tokenizer", "/data/tokenizer.model", "--out", "/data/shards", "--work", "/data/shards.work", "--memory", "28GB", "--phase", "1", "--shard", "env/63"'
phase cria-2-pass 63 '"cria", "data", "prepare", "/data/llama.yaml", "--tokenizer", "/data/tokenizer.model", "--out", "/data/shards", "--work", "/data/shards.work", "--memory", "28GB", "--phase", "2", "--shard", "env/63"'
phase cria-3-tokens 63 '"cria", "data", "prepare", "/data/llama.yaml", "--tokenizer", "/data/tokenizer.model", "--out", "/data/shards", "--work", "/data/shards.work", "--memory", "28GB", "--phase", "3", "--shard", "env/63"'
phase cria-prepare 1 '"cria", "data", "prepare", "/data/llama.yaml", "--tokenizer", "/data/tokenizer.model", "--out", "/data/shards", "--work", "/data/shards.work", "--memory", "28GB"'
