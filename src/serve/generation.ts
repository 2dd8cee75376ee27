// What the protocols ask of the engine, and what it answers: nothing here knows of HTTP, and nothing of a protocol's names.
import type { Message } from "../chat/index.ts";
import type { DialoguePart } from "../dialogue/index.ts";
import type { TokenLogProbability } from "../infer/index.ts";
import type { DialogueOptions, GenerateOptions } from "../llama/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import type { ParamNames, RequestError } from "./request-error.ts";

/** A chat whose next message is wanted. */
export interface ChatPrompt {
  readonly messages: readonly Message[];
  /** Tools, the form of the answer, whether the model reasons, and variables of the template. */
  readonly dialogue?: DialogueOptions;
  /** How much the model reasons, in words that some templates read: "none" is not at all. */
  readonly effort?: string | undefined;
}

/** A text, which gets what the tokenizer puts around one, or ids, which are read as they are. */
export type PlainPrompt = { readonly text: string } | { readonly ids: readonly number[] };

/** What a text goes on from. */
export type Prompt = PlainPrompt | ChatPrompt;

/** How texts are written: what is absent is as the model's makers have it. */
export type WritingOptions = Omit<
  GenerateOptions,
  | "signal"
  | "parseSpecial"
  | "draft"
  | "steps"
  | "maxTokens"
  | "maxLength"
  | "choice"
  | "cacheSalt"
  | "jsonSchema"
  | "whitespace"
  | "shownIds"
>;

/** A request for texts behind one prompt or several. */
export interface GenerationRequest {
  readonly model: string;
  /** What texts go on from; one at least. */
  readonly prompts: readonly Prompt[];
  /** Texts behind each prompt; text i of a prompt is drawn with choice i. 1 by default. */
  readonly count?: number;
  /** Tokens of each text at most; as many as the context and the server's limit allow by default. With 0, nothing is written: prompts are only scored. */
  readonly maxTokens?: number | undefined;
  readonly options?: WritingOptions;
  /** Asks for the log-probabilities of the prompts' own tokens, with so many of the most probable tokens beside each. */
  readonly scoreTop?: number | undefined;
  /** Who asks: turns are taken by it, and texts that begin alike share what was computed only where it is the same. */
  readonly key: string;
  /** Ends the work within one step of the model. */
  readonly signal: AbortSignal;
  /** What the protocol calls parameters that errors name; OpenAI's names of chats by default. */
  readonly names?: ParamNames;
}

/** A token of a text with its log-probability and those of the most probable tokens in its place, as a model's own before any step of sampling. */
export interface LoggedToken {
  readonly id: number;
  /** Absent for the first token of a text, which has nothing before it. */
  readonly told: TokenLogProbability | undefined;
}

/** How a text ended. */
export interface TextEnd {
  /** "stop" is its own end or a stop string, "tool_calls" the same where it calls tools. */
  readonly finishReason: "stop" | "length" | "tool_calls";
  /** The stop string that ended it. */
  readonly stopString: string | undefined;
  /** Tokens that were drawn, one that ends a text among them. */
  readonly completionTokens: number;
  /** Those of them that are reasoning. */
  readonly reasoningTokens: number;
}

/** What the engine says of a request, in order. Prompts and choices are numbered from 0: choice c of prompt p is p · count + c. */
export type GenerationEvent =
  /** A prompt was read: its tokens, and how many of them the model had read before. */
  | { readonly type: "start"; readonly prompt: number; readonly promptTokens: number; readonly cachedTokens: number }
  /** The prompt's own tokens, where they are asked for. */
  | { readonly type: "prompt"; readonly prompt: number; readonly tokens: readonly LoggedToken[] }
  /** What a token brought of a text: none, where it is not settled yet what the text is. */
  | { readonly type: "parts"; readonly choice: number; readonly parts: readonly DialoguePart[]; readonly logged: LoggedToken | undefined }
  /** A text has ended. */
  | ({ readonly type: "end"; readonly choice: number } & TextEnd)
  /** The request failed; nothing follows. */
  | { readonly type: "error"; readonly error: RequestError };

/** A request that was checked and has its place in the queue. */
export interface Generation {
  /** The model's name as the server lists it. */
  readonly model: string;
  readonly tokenizer: Tokenizer;
  /** The ids of each prompt. */
  readonly prompts: readonly Uint32Array[];
  /** What happens. Iterated once; the place is given back when it ends or the request's signal is aborted. */
  events(): AsyncGenerator<GenerationEvent, void>;
}

/** A request for vectors of texts. */
export interface EmbeddingRequest extends Pick<GenerationRequest, "model" | "key" | "signal" | "names"> {
  readonly texts: readonly PlainPrompt[];
  /** Numbers that a vector shall have: the model's own, where any are asked for. */
  readonly dimensions?: number | undefined;
}

/** Vectors of texts, each of length 1. */
export interface Embeddings {
  /** The model's name as the server lists it. */
  readonly model: string;
  readonly vectors: readonly Float32Array[];
  readonly promptTokens: number;
}
