// What a run of sequences may be asked for.
import { check } from "../base/index.ts";
import { mostTopK } from "../graph/index.ts";
import type { AttentionOutput, OutputName } from "../model/index.ts";
import type { LogitsWanted, TopWanted } from "./sequence.ts";

/** Whether a model of so many layers has this output. */
export function isOutput(name: OutputName, nLayers: number): boolean {
  if (name === "final") return true;
  if (typeof name === "number") return Number.isInteger(name) && name >= 0 && name <= nLayers;
  return isAttentionOutput(name) && Number(name.slice(name.indexOf(".") + 1)) < nLayers;
}

/** Whether it is what attention compares in a layer. */
export function isAttentionOutput(name: OutputName): name is AttentionOutput {
  return /^(?:queries|keys)\.(?:0|[1-9]\d*)$/.test(String(name));
}

/** Whether only the largest logits are wanted. */
export function isTop(logits: LogitsWanted | undefined): logits is TopWanted {
  return typeof logits === "object";
}

/** @throws CriaError where it is out of its range */
export function checkTop({ top, allowed }: TopWanted, vocabSize: number): void {
  const most = Math.min(mostTopK, vocabSize);
  check(Number.isSafeInteger(top) && top >= 1 && top <= most, "infer", () => `top is ${top} but must be an integer from 1 to ${most}`);
  const words = Math.ceil(vocabSize / 32);
  check(
    allowed === undefined || allowed.length === words,
    "infer",
    () => `the bits of allowed tokens are ${allowed?.length} words, but ${vocabSize} tokens need ${words}`,
  );
}

/** @throws CriaError naming a token that is none of the model's */
export function checkId(id: number, vocabSize: number): void {
  check(
    Number.isInteger(id) && id >= 0 && id < vocabSize,
    "infer",
    () => `token ${id} is outside the model's vocabulary of ${vocabSize}: is it this model's tokenizer?`,
  );
}
