// Whether a model completes lines exactly: each answer's tokens must be the most probable ones, which is what greedy decoding would write.
import type { Backend } from "../backend/index.ts";
import { check, fail } from "../base/index.ts";
import { pageKeys } from "../graph/index.ts";
import { mostProbable, SequenceModel } from "../infer/index.ts";
import type { LlamaConfig } from "../model/index.ts";

/** A line that a model is to complete. */
export interface Question {
  /** Prompt and answer. */
  readonly tokens: ArrayLike<number>;
  /** Tokens of the prompt, which are given; at least 1. */
  readonly given: number;
}

/** Questions that are read at the same time. */
const together = 32;

/** Share of the questions that are answered exactly. @param weights by row name */
export async function exactAnswers(
  backend: Backend,
  config: LlamaConfig,
  weights: ReadonlyMap<string, Float32Array>,
  questions: readonly Question[],
): Promise<number> {
  const contextLength = Math.max(...questions.map(({ tokens }) => tokens.length));
  check(
    contextLength <= config.contextLength,
    "study",
    () => `a question has ${contextLength} tokens but the model's context is ${config.contextLength}`,
  );
  const read = async ({ name }: { readonly name: string }) => weights.get(name) ?? fail("study", `the weights have no parameter "${name}"`);
  const pages = together * Math.ceil(contextLength / pageKeys); // so that no prompt is computed twice
  await using model = await SequenceModel.open(backend, config, { read }, { contextLength, pages });
  let exact = 0;
  for (let at = 0; at < questions.length; at += together) exact += await countExact(model, questions.slice(at, at + together));
  return exact / questions.length;
}

async function countExact(model: SequenceModel, questions: readonly Question[]): Promise<number> {
  const items = questions.map(({ tokens, given }) => {
    const read = Array.from(tokens).slice(0, -1); // nothing is asked behind the last token
    return { sequence: model.sequence(), prompt: read.slice(0, given - 1), answer: read.slice(given - 1) };
  });
  await model.run(
    items.filter(({ prompt }) => prompt.length > 0).map(({ sequence, prompt }) => ({ sequence, ids: prompt, logits: "none" })),
  );
  const results = await model.run(items.map(({ sequence, answer }) => ({ sequence, ids: answer, logits: "all" }) as const));
  for (const { sequence } of items) sequence.dispose();
  return questions.filter(({ tokens, given }, i) => results[i]?.logits.every((logits, at) => mostProbable(logits) === tokens[given + at]))
    .length;
}
