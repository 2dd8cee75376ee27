#!/bin/bash
# Prepares the data in 4 phases, each on at most 63 machines, and makes of what they left one folder in the end.
# CPUS and MEMORY are those of one machine. SBATCH_OPTIONS holds more words for sbatch, such as a partition, a time limit or --array's throttle.
set -euo pipefail
: "${CPUS:=16}" "${MEMORY:=32G}" "${SBATCH_OPTIONS:=}"
after=
submit() { # name, machines, command
  after=$(sbatch --parsable --job-name="$1" --array="0-$(($2 - 1))" --cpus-per-task="$CPUS" --mem="$MEMORY" --requeue \
    --kill-on-invalid-dep=yes ${after:+--dependency="afterok:$after"} $SBATCH_OPTIONS --wrap="$3 --threads $CPUS")
  after=${after%%;*}
  echo "$1: job $after"
}
submit cria-0-pass 63 'npx cria data prepare /data/llama.yaml --tokenizer /data/tokenizer.model --out /data/shards --work /data/shards.work --memory 28GB --phase 0 --shard env'
submit cria-1-compare 63 'npx cria data prepare /data/llama.yaml --tokenizer /data/tokenizer.model --out /data/shards --work /data/shards.work --memory 28GB --phase 1 --shard env'
submit cria-2-pass 63 'npx cria data prepare /data/llama.yaml --tokenizer /data/tokenizer.model --out /data/shards --work /data/shards.work --memory 28GB --phase 2 --shard env'
submit cria-3-tokens 63 'npx cria data prepare /data/llama.yaml --tokenizer /data/tokenizer.model --out /data/shards --work /data/shards.work --memory 28GB --phase 3 --shard env'
submit cria-prepare 1 'npx cria data prepare /data/llama.yaml --tokenizer /data/tokenizer.model --out /data/shards --work /data/shards.work --memory 28GB'
