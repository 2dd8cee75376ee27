#!/bin/bash
# Prepares the data in 4 phases, each on at most 63 machines, and makes of what they left one folder in the end.
# CPUS and MEMORY are those of one machine. IMAGE has cria on its PATH; QUEUE is the job queue, FILE_SYSTEM the id of the EFS file system, and MOUNT the folder that it is.
set -euo pipefail
: "${IMAGE:?}" "${QUEUE:?}" "${FILE_SYSTEM:?}" "${MOUNT:?}" "${CPUS:=16}" "${MEMORY:=30720}"
definition=$(aws batch register-job-definition --job-definition-name cria-data-prepare --type container --retry-strategy attempts=5 \
  --container-properties '{
    "image": "'"$IMAGE"'",
    "resourceRequirements": [{ "type": "VCPU", "value": "'"$CPUS"'" }, { "type": "MEMORY", "value": "'"$MEMORY"'" }],
    "volumes": [{ "name": "data", "efsVolumeConfiguration": { "fileSystemId": "'"$FILE_SYSTEM"'", "transitEncryption": "ENABLED" } }],
    "mountPoints": [{ "sourceVolume": "data", "containerPath": "'"$MOUNT"'" }]
  }' --query jobDefinitionArn --output text)
after=
submit() { # name, machines, words of the command
  if [ "$2" = 1 ]; then array=; else array="--array-properties size=$2"; fi
  after=$(aws batch submit-job --job-name "$1" --job-queue "$QUEUE" --job-definition "$definition" $array ${after:+--depends-on "jobId=$after"} \
    --container-overrides '{ "command": ['"$3"', "--threads", "'"$CPUS"'"] }' --query jobId --output text)
  echo "$1: job $after"
}
submit cria-0-pass 63 '"cria", "data", "prepare", "/data/llama.yaml", "--tokenizer", "/data/tokenizer.model", "--out", "/data/shards", "--work", "/data/shards.work", "--memory", "28GB", "--phase", "0", "--shard", "env"'
submit cria-1-compare 63 '"cria", "data", "prepare", "/data/llama.yaml", "--tokenizer", "/data/tokenizer.model", "--out", "/data/shards", "--work", "/data/shards.work", "--memory", "28GB", "--phase", "1", "--shard", "env"'
submit cria-2-pass 63 '"cria", "data", "prepare", "/data/llama.yaml", "--tokenizer", "/data/tokenizer.model", "--out", "/data/shards", "--work", "/data/shards.work", "--memory", "28GB", "--phase", "2", "--shard", "env"'
submit cria-3-tokens 63 '"cria", "data", "prepare", "/data/llama.yaml", "--tokenizer", "/data/tokenizer.model", "--out", "/data/shards", "--work", "/data/shards.work", "--memory", "28GB", "--phase", "3", "--shard", "env"'
submit cria-prepare 1 '"cria", "data", "prepare", "/data/llama.yaml", "--tokenizer", "/data/tokenizer.model", "--out", "/data/shards", "--work", "/data/shards.work", "--memory", "28GB"'
