// Counters, gauges and histograms of a server, in Prometheus' text format.
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { PromptCounts } from "../infer/index.ts";
import type { EngineWatch } from "./engine.ts";
import type { ModelShelf } from "./models.ts";

/** Seconds, from a tenth of a millisecond to minutes. */
const buckets = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100];

/** The metrics of one server. */
export class Metrics implements EngineWatch {
  readonly registry = new Registry();
  readonly #onFailure: (error: unknown) => void;
  readonly #requests = this.#counter("cria_requests_total", "Requests that were answered", ["route", "status"]);
  readonly #promptTokens = this.#counter("cria_prompt_tokens_total", "Tokens of prompts");
  readonly #cachedTokens = this.#counter("cria_cached_tokens_total", "Tokens of prompts that were computed before");
  readonly #tokens = this.#counter("cria_completion_tokens_total", "Tokens that were written");
  readonly #seconds = this.#histogram("cria_request_seconds", "Time from a request's headers to the end of its answer");
  readonly #queue = this.#histogram("cria_queue_seconds", "Time that requests wait for their turn");
  readonly #first = this.#histogram("cria_first_token_seconds", "Time from a request's turn to its first token");
  readonly #between = this.#histogram("cria_next_token_seconds", "Time between two tokens of a text");

  /** @param onFailure hears of the causes of errors that clients are told less of */
  constructor(onFailure: (error: unknown) => void) {
    this.#onFailure = onFailure;
  }

  /** Adds gauges of what a shelf's models are doing, read when metrics are asked for. */
  watch(shelf: ModelShelf): void {
    const gauges = {
      cria_requests_running: ["Requests that run", ({ admission }) => admission.running],
      cria_requests_waiting: ["Requests that wait for their turn", ({ admission }) => admission.waiting],
      cria_pages: ["Pages of the pool", ({ counts }) => counts.pages],
      cria_pages_held: ["Pages that texts hold", ({ counts }) => counts.heldPages],
      cria_pages_kept: ["Pages kept for texts that begin alike", ({ counts }) => counts.keptPages],
      cria_passes: ["Passes of the model", ({ counts }) => counts.passes],
      cria_rows: ["Rows of all passes", ({ counts }) => counts.rows],
    } satisfies Record<string, readonly [string, (model: Loaded) => number]>;
    for (const [name, [help, read]] of Object.entries(gauges))
      new Gauge({
        ...{ name, help, labelNames: ["model"], registers: [this.registry] },
        collect() {
          this.reset();
          for (const { name: model, model: loaded } of shelf.list) if (loaded !== undefined) this.set({ model }, read(loaded));
        },
      });
  }

  answered(route: string, status: number, seconds: number): void {
    this.#requests.inc({ route, status });
    this.#seconds.observe(seconds);
  }

  waited(seconds: number): void {
    this.#queue.observe(seconds);
  }

  promptRead({ tokens, cachedTokens }: PromptCounts, seconds: number): void {
    this.#promptTokens.inc(tokens);
    this.#cachedTokens.inc(cachedTokens);
    this.#first.observe(seconds);
  }

  tokenWritten(seconds: number | undefined): void {
    this.#tokens.inc();
    if (seconds !== undefined) this.#between.observe(seconds);
  }

  failed(error: unknown): void {
    this.#onFailure(error);
  }

  #counter(name: string, help: string, labelNames: string[] = []): Counter {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  #histogram(name: string, help: string): Histogram {
    return new Histogram({ name, help, buckets, registers: [this.registry] });
  }
}

type Loaded = NonNullable<ModelShelf["list"][number]["model"]>;
