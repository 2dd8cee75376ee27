// What a model in training writes behind a recipe's prompts: its weights as they are now, in a model of inference of their own that is gone afterwards.
import type { Backend } from "../backend/index.ts";
import { check } from "../base/index.ts";
import { hfName } from "../formats/index.ts";
import { generateText, promptIds, SequenceModel } from "../infer/index.ts";
import type { LlamaConfig, ParameterRow } from "../model/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import type { StoredTensor, WholeRecipe } from "../train/index.ts";
import type { WrittenText } from "./metrics-log.ts";

const where = "train";

/** What samples are asked for, as recipes say it. */
export type SampleSettings = NonNullable<WholeRecipe["samples"]>;

/** The model in training, and what it writes with. */
export interface Writer {
  readonly backend: Backend;
  readonly config: LlamaConfig;
  readonly tokenizer: Tokenizer;
  readonly tensors: readonly StoredTensor[];
  /** The draws of a prompt follow from it and from the prompt's place. */
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
}

/** @throws CriaError when a prompt leaves no room for a token */
export function checkPrompts({ prompts }: SampleSettings, tokenizer: Tokenizer, { contextLength }: LlamaConfig): void {
  for (const prompt of prompts) {
    const { length } = promptIds(tokenizer, prompt);
    check(
      length < contextLength,
      where,
      () =>
        `samples.prompts: ${JSON.stringify(prompt.slice(0, 40))} has ${length} tokens but the model's context ${contextLength}: shorten it`,
    );
  }
}

/** @throws CriaError when memory does not suffice; the signal's reason when it is aborted */
export async function writeSamples(writer: Writer, { prompts, tokens, temperature }: SampleSettings): Promise<WrittenText[]> {
  const { backend, config, tokenizer, tensors, seed, signal } = writer;
  const byName = new Map(tensors.filter(({ part }) => part === "model").map((tensor) => [tensor.name, tensor]));
  const read = async (row: ParameterRow) => (await byName.get(hfName(row.name))?.read()) ?? new Float32Array();
  const longest = Math.max(...prompts.map((prompt) => promptIds(tokenizer, prompt).length));
  const contextLength = Math.min(config.contextLength, longest + tokens);
  const model = await SequenceModel.open(backend, config, { read }, { contextLength, ...(signal && { signal }) });
  try {
    const options = {
      maxTokens: tokens,
      temperature,
      stopIds: tokenizer.eosId === undefined ? [] : [tokenizer.eosId],
      ...(signal && { signal }),
    };
    const writing = prompts.map(async (prompt, i) => {
      let text = "";
      for await (const piece of generateText(model, tokenizer, prompt, { ...options, seed: (seed + i) % 2 ** 32 })) text += piece.text;
      return { prompt, text };
    });
    await Promise.allSettled(writing); // one that fails must not take the model from those that still write
    return await Promise.all(writing);
  } finally {
    await model.dispose();
  }
}
