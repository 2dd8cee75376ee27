// Whether a model completes lines exactly: each answer's tokens must be the most probable ones, which is what greedy decoding would write.
import { type Backend, BoundProgram, type DeviceBuffer } from "../backend/index.ts";
import { check } from "../base/index.ts";
import { inferenceGraph, type LlamaConfig, ropeInputs } from "../model/index.ts";

export interface Question {
  /** Prompt and answer. */
  readonly tokens: ArrayLike<number>;
  /** Tokens of the prompt, which are given. */
  readonly given: number;
}

/** Share of the questions that are answered exactly. @param weights by row name */
export async function exactAnswers(
  backend: Backend,
  config: LlamaConfig,
  weights: ReadonlyMap<string, Float32Array>,
  questions: readonly Question[],
): Promise<number> {
  const length = Math.max(...questions.map(({ tokens }) => tokens.length));
  check(
    length <= config.contextLength,
    "study",
    () => `a question has ${length} tokens but the model's context is ${config.contextLength}`,
  );
  const { graph, logits } = inferenceGraph(config, { length, cacheRows: length, logits: "all" });
  const states = new Map<string, DeviceBuffer>();
  const program = await BoundProgram.compile(backend, graph, states);
  try {
    for (const [name, values] of weights) await states.get(name)!.write(values);
    await program.write(
      "positions",
      Array.from({ length }, (_, i) => i),
    );
    for (const [name, values] of ropeInputs(config, length - 1)) await program.write(name, values);
    let exact = 0;
    for (const question of questions) {
      await program.write("tokens", question.tokens);
      await program.run();
      if (isExact(question, await program.read(logits), config.vocabSize)) exact++;
    }
    return exact / questions.length;
  } finally {
    program.dispose();
    for (const buffer of states.values()) buffer.dispose();
  }
}

function isExact({ tokens, given }: Question, logits: ArrayLike<number>, vocabSize: number): boolean {
  for (let at = given; at < tokens.length; at++) if (mostProbable(logits, (at - 1) * vocabSize, vocabSize) !== tokens[at]) return false;
  return true;
}

function mostProbable(logits: ArrayLike<number>, from: number, count: number): number {
  let best = 0;
  for (let i = 1; i < count; i++) if (logits[from + i]! > logits[from + best]!) best = i;
  return best;
}
