// Requests for texts, from being checked to their last event. It knows nothing of HTTP and of no protocol. Texts of several requests share the passes of
// their model (the scheduler of the room infer); what is decided here is who may begin, how much each may take, and what is told of it.
import { CriaError, inSlices } from "../base/index.ts";
import {
  type CheckedRequest,
  checkedRequest,
  checkedTexts,
  countedTokens,
  type EngineLimits,
  needOf,
  needOfTexts,
} from "./checked-request.ts";
import type { EmbeddingRequest, Embeddings, Generation, GenerationEvent, GenerationRequest } from "./generation.ts";
import { merged } from "./merge.ts";
import type { ModelShelf } from "./models.ts";
import { Releases } from "./releases.ts";
import { type ParamNames, type RequestError, requestErrorOf } from "./request-error.ts";
import { aborted, TimeLimit } from "./time-limit.ts";
import { type PromptWatch, writePrompt } from "./write-prompt.ts";

/** Who is told what happens, for metrics. Times are in seconds. */
export interface EngineWatch extends PromptWatch {
  /** A request waited so long for its turn. */
  waited(seconds: number): void;
  /** The cause of an error that the client is told less of. */
  failed(error: unknown): void;
}

/** Runs requests on the models of a shelf. */
export class Engine {
  readonly limits: EngineLimits;
  readonly #shelf: ModelShelf;
  readonly #watch: EngineWatch;

  constructor(shelf: ModelShelf, limits: EngineLimits, watch: EngineWatch) {
    this.#shelf = shelf;
    this.limits = limits;
    this.#watch = watch;
  }

  /**
   * Checks a request as a whole and gives it its place in the queue, before anything is computed. The place is given back when its events have ended or its
   * signal is aborted.
   * @throws RequestError naming what is wrong with it, or that too many wait
   */
  async open(request: GenerationRequest): Promise<Generation> {
    const { signal, key } = request;
    const held = new Releases();
    try {
      const lease = held.use(await this.#shelf.lease(request.model, signal));
      const checked = await inSlices(checkedRequest(request, lease.model, this.limits), signal);
      const place = held.use(lease.model.admission.enter(key, needOf(checked)));
      signal.throwIfAborted();
      signal.addEventListener("abort", () => held.release(), { once: true });
      const { tokenizer } = lease.model;
      return {
        model: lease.name,
        tokenizer,
        prompts: checked.prompts.map(({ ids }) => ids),
        events: () => this.#events(checked, place.granted, held),
      };
    } catch (error) {
      held.release();
      throw requestErrorOf(error, request.names);
    }
  }

  /**
   * Vectors of texts, as far as they fit the context.
   * @throws RequestError naming the text that does not, that too many requests wait, or that the time is over
   */
  async embed(request: EmbeddingRequest): Promise<Embeddings> {
    const { signal, key } = request;
    const held = new Releases();
    const limit = new TimeLimit(signal, this.limits.milliseconds);
    try {
      const { name, model } = held.use(await this.#shelf.lease(request.model, signal));
      const texts = await inSlices(checkedTexts(request, model, this.limits), signal);
      const { granted } = held.use(model.admission.enter(key, needOfTexts(texts)));
      await Promise.race([granted, aborted(signal)]);
      limit.start();
      const vectors = await model.embed(texts, { cacheSalt: key, signal: limit.signal });
      return { model: name, vectors, promptTokens: texts.reduce((sum, { length }) => sum + length, 0) };
    } catch (error) {
      throw requestErrorOf(error, request.names);
    } finally {
      limit.end();
      held.release();
    }
  }

  /** Tokens that prompts have, chats with all that their template puts around messages. @throws RequestError naming what is wrong with them */
  async count({ model, prompts, signal, names }: Pick<GenerationRequest, "model" | "prompts" | "signal" | "names">): Promise<number> {
    try {
      using lease = await this.#shelf.lease(model, signal);
      return await inSlices(countedTokens(prompts, lease.model), signal);
    } catch (error) {
      throw requestErrorOf(error, names);
    }
  }

  async *#events(checked: CheckedRequest, granted: Promise<void>, held: Releases): AsyncGenerator<GenerationEvent, void> {
    const { signal } = checked.request;
    const asked = performance.now();
    const limit = new TimeLimit(signal, this.limits.milliseconds);
    try {
      await Promise.race([granted, aborted(signal)]);
      this.#watch.waited((performance.now() - asked) / 1000);
      limit.start();
      const streams = checked.prompts.map((_, index) => writePrompt({ checked, index, watch: this.#watch, signal: limit.signal }));
      if (streams.length === 1 && streams[0] !== undefined) yield* streams[0];
      else yield* merged(streams, checked.width);
    } catch (error) {
      if (signal.aborted) return;
      const told = errorWhileWriting(error, checked.request.names);
      if (told.isServersFault) this.#watch.failed(error);
      yield { type: "error", error: told };
    } finally {
      limit.end();
      held.release();
    }
  }
}

/** The request was checked: what the sampler and the machine object to now is no mistake of the client's. */
function errorWhileWriting(error: unknown, names: ParamNames | undefined): RequestError {
  const isClients = !(error instanceof CriaError) || ["infer", "grammar", "llama"].includes(error.where);
  return requestErrorOf(isClients ? error : new Error("the model failed", { cause: error }), names);
}
