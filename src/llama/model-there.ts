// A model on a backend, with its tokenizer and its templates.
import type { Backend } from "../backend/index.ts";
import { SequenceModel } from "../infer/index.ts";
import type { OpenChat, OpenModel } from "../open/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import type { ModelOptions } from "./options.ts";

/** Where a model computes. */
export interface ModelBackend {
  readonly backend: Backend;
  /** Whether the backend ends with the model. */
  readonly isOwn: boolean;
}

/** A model on a backend. */
export interface ModelThere extends ModelBackend {
  readonly sequences: SequenceModel;
  readonly tokenizer: Tokenizer;
  readonly chat: OpenChat;
  /** How its makers would have it sampled. */
  readonly generation: OpenModel["generation"];
  readonly warnings: readonly string[];
}

/**
 * Loads the weights and what goes with them.
 * @param tokenizerFile names another tokenizer than the one beside the model
 * @throws CriaError when a part is damaged or another model's, or memory does not suffice; a backend of the model's own is disposed of then.
 */
export async function loadThere<Place>(
  model: OpenModel<Place>,
  tokenizerFile: Place | undefined,
  openBackend: () => Promise<ModelBackend>,
  options: ModelOptions,
): Promise<ModelThere> {
  const warnings = [...model.warnings];
  const onWarning = (warning: string) => warnings.push(warning);
  const tokenizer = await model.openTokenizer(tokenizerFile, onWarning);
  const chat = await model.openChat(tokenizer, tokenizerFile, onWarning);
  const { backend, isOwn } = await openBackend();
  try {
    const sequences = await SequenceModel.open(backend, model.config, model.weights, options);
    if (options.contextLength === undefined && options.pages === undefined) warnings.push(...shortMemory(sequences));
    return { sequences, tokenizer, chat, generation: model.generation, warnings, backend, isOwn };
  } catch (error) {
    if (isOwn) await backend.dispose();
    throw error;
  }
}

function shortMemory({ contextLength, config }: SequenceModel): string[] {
  if (contextLength === config.contextLength) return [];
  return [
    `memory has room for texts of ${contextLength} tokens, fewer than the model's ${config.contextLength}: keys and values may be stored in fewer bytes (cacheType "f16" or "q8_0")`,
  ];
}
