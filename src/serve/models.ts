// The models of a server by name: each is loaded when it is first asked for, and unloaded when it was idle for long or another one needs its memory.
import { CriaError, didYouMean } from "../base/index.ts";
import type { ModelInFiles } from "./page/look/weights.ts";
import { RequestError } from "./request-error.ts";
import type { ServedModel } from "./served-model.ts";

/** A model that a server may load. */
export interface ModelRow {
  /** What clients call it. */
  readonly name: string;
  /** Tokens that its texts may have, where fewer are asked for than the model's context. */
  readonly contextLength?: number | undefined;
  load(signal: AbortSignal): Promise<ServedModel>;
  /** Its parameters where they lie, for who looks inside. */
  openFiles(signal: AbortSignal): Promise<ModelInFiles>;
}

/** A model that stays loaded until the lease is disposed of. */
export interface Lease extends Disposable {
  readonly name: string;
  readonly model: ServedModel;
}

/** How models are kept, and who hears of it. */
export interface ShelfOptions {
  /** Milliseconds that an idle model stays loaded; Infinity keeps it until its memory is needed. */
  readonly keepAliveMs: number;
  /** Hears that a model was loaded or unloaded. */
  onChange?(name: string, what: "loaded" | "unloaded"): void;
}

/** How loading went, and whether memory was short: then it may go better without another model. */
interface Tried {
  readonly model: ServedModel | undefined;
  readonly error: unknown;
  readonly isShort: boolean;
}

interface Entry {
  readonly row: ModelRow;
  /** When it came to be listed, in seconds since 1970. */
  readonly created: number;
  loading: Promise<ServedModel> | undefined;
  model: ServedModel | undefined;
  leases: number;
  usedAt: number;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** The models of a server. */
export class ModelShelf {
  readonly #entries = new Map<string, Entry>();
  readonly #options: ShelfOptions;
  readonly #stop = new AbortController();
  /** Loads one model after the other, so that each sees the memory that the others have left. */
  #turn: Promise<unknown> = Promise.resolve();

  /** @throws CriaError where two have one name */
  constructor(rows: readonly ModelRow[], options: ShelfOptions) {
    for (const row of rows) {
      if (this.#entries.has(row.name))
        throw new CriaError("serve", `two models are called "${row.name}": name one of them otherwise, NAME=MODEL`);
      this.#add(row);
    }
    this.#options = options;
  }

  /** Lists models that came since, behind the others; those whose names are listed already stay what they are. */
  addNew(rows: readonly ModelRow[]): void {
    for (const row of rows) if (!this.#entries.has(row.name)) this.#add(row);
  }

  /** Names, when each was listed, and whether it is loaded. */
  get list(): readonly { readonly name: string; readonly created: number; readonly model: ServedModel | undefined }[] {
    return [...this.#entries].map(([name, { created, model }]) => ({ name, created, model }));
  }

  /** The name of a model as it is listed; the only one where nothing is named. @throws RequestError where there is no such model */
  nameOf(asked: string | undefined): string {
    const names = [...this.#entries.keys()];
    if (asked !== undefined && this.#entries.has(asked)) return asked;
    const [only] = names;
    if (only === undefined) throw new RequestError("notFound", "this server has no model", { param: "model", code: "model_not_found" });
    if (asked === undefined && names.length === 1) return only;
    if (asked === undefined) throw new RequestError("invalid", `model is missing: it is one of ${names.join(", ")}`, { param: "model" });
    const known = didYouMean(asked, names) || `: there is ${names.join(", ")}`;
    throw new RequestError("notFound", `the model ${JSON.stringify(asked.slice(0, 200))} does not exist here${known}`, {
      ...{ param: "model", code: "model_not_found" },
    });
  }

  /**
   * The model, loaded, for as long as the lease lasts.
   * @throws RequestError where there is no such model or it cannot be loaded, which is tried again when it is next asked for; the signal's reason when it is
   * aborted, though loading goes on for others
   */
  async lease(asked: string | undefined, signal: AbortSignal): Promise<Lease> {
    const name = this.nameOf(asked);
    const entry = this.#entries.get(name)!;
    entry.leases++;
    clearTimeout(entry.timer);
    let isOver = false;
    const over = () => {
      if (!isOver) this.#leave(name, entry);
      isOver = true;
    };
    try {
      const model = entry.model ?? (await orAborted(this.#load(name, entry), signal));
      return { name, model, [Symbol.dispose]: over };
    } catch (error) {
      over();
      throw error;
    }
  }

  /** The model's parameters where they lie. @throws RequestError where there is no such model; CriaError where its files cannot be opened */
  openFiles(asked: string | undefined, signal: AbortSignal): Promise<ModelInFiles> {
    return this.#entries.get(this.nameOf(asked))!.row.openFiles(signal);
  }

  /** Unloads all models behind what runs on them. */
  async dispose(): Promise<void> {
    this.#stop.abort(new RequestError("unavailable", "the server is stopping"));
    for (const [name, entry] of this.#entries) {
      clearTimeout(entry.timer);
      await entry.loading?.catch(() => undefined);
      await this.#unload(name, entry);
    }
  }

  #add(row: ModelRow): void {
    const created = Math.floor(Date.now() / 1000);
    this.#entries.set(row.name, { row, created, loading: undefined, model: undefined, leases: 0, usedAt: 0, timer: undefined });
  }

  #load(name: string, entry: Entry): Promise<ServedModel> {
    entry.loading ??= this.#inTurn(() => this.#loadWithRoom(name, entry)).finally(() => {
      entry.loading = undefined;
    });
    return entry.loading;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  /** Loads a model, and again without the one that was idle for longest, as long as memory is short. */
  async #loadWithRoom(name: string, entry: Entry): Promise<ServedModel> {
    for (;;) {
      const tried = await this.#try(entry.row);
      const idle = tried.isShort ? this.#longestIdle() : undefined;
      if (idle === undefined) {
        if (tried.model === undefined) throw notLoaded(name, tried.error);
        entry.model = tried.model;
        this.#options.onChange?.(name, "loaded");
        return tried.model;
      }
      await tried.model?.dispose();
      await this.#unload(...idle);
    }
  }

  async #try({ load, contextLength }: ModelRow): Promise<Tried> {
    try {
      const model = await load(this.#stop.signal);
      return { model, error: undefined, isShort: model.contextLength < (contextLength ?? model.config.contextLength) };
    } catch (error) {
      return { model: undefined, error, isShort: error instanceof CriaError && fromMemory.includes(error.where) };
    }
  }

  #longestIdle(): [string, Entry] | undefined {
    return [...this.#entries]
      .filter(([, { model, leases }]) => model !== undefined && leases === 0)
      .sort(([, a], [, b]) => a.usedAt - b.usedAt)[0];
  }

  #leave(name: string, entry: Entry): void {
    entry.leases--;
    entry.usedAt = performance.now();
    const { keepAliveMs } = this.#options;
    if (entry.leases > 0 || keepAliveMs === Number.POSITIVE_INFINITY) return;
    const unload = async () => (entry.leases === 0 ? this.#unload(name, entry) : undefined);
    entry.timer = setTimeout(() => void this.#inTurn(unload), keepAliveMs).unref();
  }

  async #unload(name: string, entry: Entry): Promise<void> {
    const { model } = entry;
    if (model === undefined) return;
    entry.model = undefined;
    await model.dispose();
    this.#options.onChange?.(name, "unloaded");
  }
}

/** The rooms whose errors say that memory is short, among others. */
const fromMemory = ["infer", "cpu"];

function notLoaded(name: string, cause: unknown): RequestError {
  if (cause instanceof RequestError) return cause; // what the client may be told
  return new RequestError("unavailable", `the model "${name}" could not be loaded: the server's log says why`, { cause });
}

async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
