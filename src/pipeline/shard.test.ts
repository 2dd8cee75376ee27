import { expect, test } from "vitest";
import { parseShard } from "./shard.ts";

test.each([
  ["3/100", {}, { index: 3, count: 100 }],
  [
    "env",
    { SLURM_ARRAY_TASK_ID: "14", SLURM_ARRAY_TASK_MIN: "2", SLURM_ARRAY_TASK_STEP: "4", SLURM_ARRAY_TASK_COUNT: "5" },
    { index: 3, count: 5 },
  ],
  ["env", { AWS_BATCH_JOB_ARRAY_INDEX: "0", AWS_BATCH_JOB_ARRAY_SIZE: "8" }, { index: 0, count: 8 }],
  ["env/6", { JOB_COMPLETION_INDEX: "5" }, { index: 5, count: 6 }],
])("%s", (text, env, shard) => {
  expect(parseShard(text, env)).toEqual(shard);
});

test.each([
  ["3", {}, /does not say how many there are/],
  ["env", { JOB_COMPLETION_INDEX: "5" }, /does not say how many there are: .* env\/100/],
  ["5/5", {}, /5 of 5, but must be a whole number from 0 to 4/],
  ["a/b", {}, /"a\/b" but must be INDEX\/COUNT/],
  ["env", {}, /none of Slurm, AWS Batch, Kubernetes says a number here/],
  ["env", { SLURM_ARRAY_TASK_ID: "3", SLURM_ARRAY_TASK_STEP: "2", SLURM_ARRAY_TASK_COUNT: "2" }, /1.5 of 2/],
  [
    "env",
    { SLURM_ARRAY_TASK_ID: "17", SLURM_ARRAY_TASK_MIN: "3", SLURM_ARRAY_TASK_STEP: "1", SLURM_ARRAY_TASK_COUNT: "2" },
    /14 of 2, .*: an array with gaps has other numbers: submit all of it again, .* or give INDEX\/COUNT/,
  ],
])("%s %j is refused", (text, env, message) => {
  expect(() => parseShard(text, env)).toThrow(message);
});
