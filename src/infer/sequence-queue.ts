// Runs of many sequences on one model: rows of all that wait share passes, and their keys and values lie in shared pages.
import { CriaError, check, eventsHandled } from "../base/index.ts";
import { pageKeys } from "../graph/index.ts";
import type { OutputName } from "../model/index.ts";
import { CachedText } from "./cached-text.ts";
import { PageAllocator } from "./page-allocator.ts";
import type { PageStore } from "./page-store.ts";
import type { LogitRow, PassOutputs, PassRunner } from "./pass-runner.ts";
import { checkId, checkTop, isOutput, isTop } from "./run-checks.ts";
import { type Batch, type Job, jobOf, resultOf, type SequenceMember } from "./run-job.ts";
import { checkSavedFor, readSaved, restoreText, saveText } from "./saved-sequence.ts";
import { type Pass, type PassLimits, Scheduler } from "./scheduler.ts";
import { type Restored, type RestoreOptions, type RunItem, type RunResult, Sequence, type SequenceOptions } from "./sequence.ts";

/** The pages of a model by what they are, and what was computed since it was opened. */
export interface ModelCounts {
  readonly pages: number;
  /** Pages that sequences hold. */
  readonly heldPages: number;
  /** Pages that no sequence holds and that are kept for texts which begin alike, until their place is needed. */
  readonly keptPages: number;
  /** Pages that a text gets without making another one pause: all that no sequence holds, kept ones among them. */
  readonly freePages: number;
  readonly passes: number;
  /** Rows of all passes. */
  readonly rows: number;
}

/** How many microtasks a pass waits for those that the last pass has served: so many that a loop over tokens comes back. */
const gatherMicrotasks = 100;

/** What the queue needs to know of a model. */
export interface QueueSizes {
  readonly vocabSize: number;
  readonly nLayers: number;
  /** S: tokens that one sequence may have. */
  readonly contextLength: number;
  readonly pages: number;
  /** The length that RoPE's table is made for in a run, by the position of its last row: `ropeLength` of the model. */
  ropeLengthOf(longestPosition: number): number;
}

/** Sequences on a pool of pages, and the runs that wait for one another's passes. */
export class SequenceQueue {
  readonly vocabSize: number;
  readonly contextLength: number;
  readonly #sizes: QueueSizes;
  readonly #runner: PassRunner;
  readonly #pool: PageAllocator;
  readonly #scheduler: Scheduler<Job>;
  readonly #jobs = new Map<SequenceMember, Job>();
  readonly #members = new Set<SequenceMember>();
  /** Those that the last pass has served and that have not come back. */
  readonly #served = new Set<SequenceMember>();
  readonly #store: PageStore;
  /** What is to be done while no pass runs, before the next one is planned. */
  readonly #tasks: (() => Promise<void>)[] = [];
  #pump: Promise<void> | undefined;
  #passes = 0;
  #rows = 0;
  #ended: Promise<void> | undefined;

  constructor(runner: PassRunner, sizes: QueueSizes, limits: PassLimits, store: PageStore) {
    this.#runner = runner;
    this.#store = store;
    this.#sizes = sizes;
    this.vocabSize = sizes.vocabSize;
    this.contextLength = Math.min(sizes.contextLength, sizes.pages * pageKeys);
    this.#pool = new PageAllocator(sizes.pages);
    this.#scheduler = new Scheduler(this.#pool, limits);
  }

  get counts(): ModelCounts {
    const { count: pages, held: heldPages, kept: keptPages } = this.#pool;
    return { pages, heldPages, keptPages, freePages: pages - heldPages, passes: this.#passes, rows: this.#rows };
  }

  /**
   * Rows of a pass in which a text is decoding while another's prompt is read, at most: fewer make texts come more evenly, and prompts take longer. It
   * may be changed while sequences are run. Their bits do not depend on it. @throws CriaError where it is not from 1 to `passRows`
   */
  get mixedRows(): number {
    return this.#scheduler.limits.mixedRows;
  }

  set mixedRows(mixedRows: number) {
    const { limits } = this.#scheduler;
    check(
      Number.isSafeInteger(mixedRows) && mixedRows >= 1 && mixedRows <= limits.rows,
      "infer",
      () => `mixedRows is ${mixedRows} but must be an integer from 1 to ${limits.rows}`,
    );
    this.#scheduler.limits = { ...limits, mixedRows };
  }

  /** An empty sequence. */
  sequence({ cacheSalt }: SequenceOptions = {}): Sequence {
    this.#check();
    return this.#join(new CachedText(this.#pool, [], cacheSalt));
  }

  /** How many of a text's first tokens need not be computed, as pages have them now. */
  cachedTokens(ids: ArrayLike<number>, { cacheSalt }: SequenceOptions = {}): number {
    this.#check();
    const text = new CachedText(this.#pool, [], cacheSalt);
    text.append(ids, this.#sizes.ropeLengthOf(Math.max(0, ids.length - 1)));
    text.reuse(ids.length - 1); // what is wanted of the last one is computed anyway
    const { computed } = text;
    text.forget();
    return computed;
  }

  /**
   * Runs the ids of every item behind what was run of its sequence. Calls that wait at the same time share passes, whoever they come from; a row's
   * bits do not depend on who else is there. When pages are short, sequences pause and are computed again, so that a run takes longer, and never fails.
   * @throws CriaError before anything is computed: when an item has no ids, ids outside the vocabulary or more than context or pool hold, or its sequence
   * is disposed, another model's, or in another run. The signal's reason when it is aborted between two passes, and the backend's error when a
   * pass fails: then all sequences of the call have the length that they had before.
   */
  async run<const Items extends readonly RunItem[]>(
    items: Items,
    signal?: AbortSignal,
  ): Promise<{ -readonly [I in keyof Items]: RunResult<Items[I]> }> {
    this.#check();
    signal?.throwIfAborted();
    const members = items.map((item) => this.#checked(item));
    check(new Set(members).size === members.length, "infer", () => "a sequence stands twice in one run: run it twice, or fork it");
    let jobs: Job[] = [];
    await new Promise<void>((resolve, reject) => {
      const batch: Batch = { jobs: [], signal, resolve, reject };
      jobs = items.map((item, i) => this.#start(members[i]!, item, batch));
      batch.jobs.push(...jobs);
      if (jobs.length === 0) resolve();
      this.#pump ??= this.#pumpAll();
    });
    return jobs.map(resultOf) as { -readonly [I in keyof Items]: RunResult<Items[I]> };
  }

  /** Ends behind what is queued. */
  dispose(): Promise<void> {
    this.#ended ??= this.#end();
    return this.#ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  async #end(): Promise<void> {
    await this.#pump;
    for (const member of [...this.#members]) this.leave(member);
    await this.#runner.dispose();
  }

  lengthOf(member: SequenceMember): number {
    return this.#jobs.get(member)?.start ?? member.text.length;
  }

  fork(member: SequenceMember): Sequence {
    this.#checkIdle(member);
    return this.#join(member.text.fork());
  }

  truncate(member: SequenceMember, length: number): void {
    this.#checkIdle(member);
    const has = member.text.length;
    check(
      Number.isSafeInteger(length) && length >= 0 && length <= has,
      "infer",
      () => `a sequence of ${has} tokens cannot be cut to ${length}: give a length from 0 to ${has}`,
    );
    member.text.truncate(length);
  }

  /** Does something with pages, which nothing else takes or writes meanwhile. */
  #alone<Result>(task: () => Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#tasks.push(() => task().then(resolve, reject));
      this.#pump ??= this.#pumpAll();
    });
  }

  save(member: SequenceMember, note: unknown): Promise<Uint8Array> {
    this.#checkIdle(member);
    const text = member.text.fork();
    return this.#alone(async () => {
      try {
        text.reuse(text.length);
        return await saveText(text, this.#store, note);
      } finally {
        text.forget();
      }
    });
  }

  /**
   * A sequence with the tokens that were saved, and their keys and values where this model would have computed the same bits and pages are free. It goes
   * on as the saved one would have.
   * @throws CriaError when the bytes are damaged, no saved sequence or one of another version, model or type of cache, or longer than the context
   */
  async restore(bytes: Uint8Array, { cacheSalt, name = "the saved sequence" }: RestoreOptions = {}): Promise<Restored> {
    this.#check();
    const { saved, pages } = await readSaved(bytes, name);
    const here = await this.#store.savedFor();
    checkSavedFor(saved, here, name);
    this.#check();
    this.#checkLength(saved.ids.length);
    for (const id of saved.ids) checkId(id, this.vocabSize);
    const text = new CachedText(this.#pool, [], cacheSalt);
    for (const [i, id] of saved.ids.entries()) text.append([id], saved.ropeLengths[i]);
    const sequence = this.#join(text);
    try {
      if (saved.target === here.target) await this.#alone(() => restoreText(text, this.#store, saved.computed, pages));
      return { sequence, note: saved.note, restoredTokens: text.computed, target: saved.target };
    } catch (error) {
      sequence.dispose();
      throw error;
    }
  }

  leave(member: SequenceMember): void {
    this.#members.delete(member);
    this.#served.delete(member);
    if (!this.#jobs.has(member)) this.#scheduler.leave(member); // else between two passes
  }

  #join(text: CachedText): Sequence {
    const member = this.#scheduler.join(text);
    this.#members.add(member);
    return new Sequence(this, member);
  }

  #start(member: SequenceMember, item: RunItem, batch: Batch): Job {
    const job = jobOf(member, item, batch);
    member.text.append(item.ids, this.#sizes.ropeLengthOf(job.end - 1));
    member.work = job;
    this.#served.delete(member);
    this.#jobs.set(member, job);
    return job;
  }

  /** Pass after pass, as long as somebody waits. */
  async #pumpAll(): Promise<void> {
    try {
      for (;;) {
        await this.#gather();
        for (let task = this.#tasks.shift(); task !== undefined; task = this.#tasks.shift()) await task();
        this.#dropEnded();
        const pass = this.#scheduler.plan();
        if (pass === undefined) break;
        await this.#pass(pass);
      }
    } catch (error) {
      for (const { batch } of [...this.#jobs.values()]) this.#fail(batch, error);
    } finally {
      this.#pump = undefined;
    }
  }

  /** Lets those come back who go on from what the last pass brought them, so that the next one has them all: also those who first write it somewhere. */
  async #gather(): Promise<void> {
    await undefined;
    for (let waited = 0; waited < gatherMicrotasks && this.#served.size > 0; waited++) await undefined;
    if (this.#served.size > 0) await eventsHandled();
    this.#served.clear();
  }

  /** Ends the runs whose signal is aborted and those of sequences that were disposed of. */
  #dropEnded(): void {
    for (const { member, batch } of [...this.#jobs.values()]) {
      if (batch.signal?.aborted) this.#fail(batch, batch.signal.reason);
      if (!this.#members.has(member)) this.#fail(batch, disposedInRun());
    }
  }

  async #pass(pass: Pass<Job>): Promise<void> {
    try {
      if (pass.copies.length > 0) await this.#runner.copy(pass.copies);
      const outputs = await this.#compute(pass);
      this.#scheduler.commit(pass);
      this.#deliver(pass, outputs);
    } catch (error) {
      this.#scheduler.forget(pass);
      for (const { work, rows } of pass.parts) if (rows > 0) this.#fail(work.batch, error);
    }
  }

  async #compute({ ropeLength, parts }: Pass<Job>): Promise<PassOutputs> {
    const tokens: number[] = [];
    const positions: number[] = [];
    const slots: number[] = [];
    const logitRows: LogitRow[] = [];
    const outputs = new Set<OutputName>();
    const computed = parts.filter(({ rows }) => rows > 0);
    for (const [slot, { member, work, first, rows }] of computed.entries()) {
      const { firstLogits, output, top } = work;
      if (output !== undefined) outputs.add(output);
      for (let position = first; position < first + rows; position++) {
        if (position >= Math.max(firstLogits, work.nextResult)) logitRows.push({ row: tokens.length, top });
        tokens.push(member.text.idAt(position));
        positions.push(position);
        slots.push(slot);
      }
    }
    if (tokens.length === 0) return { logits: [], hidden: new Map() };
    this.#passes++;
    this.#rows += tokens.length;
    const pages = computed.map(({ member }) => member.text.pages.map(({ number }) => number));
    return this.#runner.run({ ropeLength, tokens, positions, slots, pages, logitRows, outputs: [...outputs] });
  }

  #deliver({ parts }: Pass<Job>, { logits, hidden }: PassOutputs): void {
    const logitsInOrder = logits.values();
    let row = 0;
    for (const { member, work, first, rows } of parts) {
      const outputs = work.output === undefined ? undefined : hidden.get(work.output);
      for (let position = first; position < first + rows; position++, row++) {
        if (position < work.nextResult) continue; // computed again, delivered before, or not wanted
        const { value } = position >= work.firstLogits ? logitsInOrder.next() : { value: undefined };
        if (value !== undefined) work.results.logits.push(value);
        const output = position >= work.firstHidden ? outputs?.[row] : undefined;
        if (output !== undefined) work.results.hidden.push(output);
      }
      work.nextResult = Math.max(work.nextResult, first + rows);
      if (member.text.computed === work.end) this.#finish(work);
    }
  }

  #finish({ member, batch }: Job): void {
    member.work = undefined;
    if (batch.jobs.some((job) => job.member.work !== undefined)) return;
    if (batch.jobs.some((job) => !this.#members.has(job.member))) return this.#fail(batch, disposedInRun());
    for (const job of batch.jobs) {
      this.#jobs.delete(job.member);
      job.member.cachedRows += job.cachedRows;
      this.#served.add(job.member);
    }
    batch.resolve();
  }

  /** Ends a call with an error: its sequences are as before. */
  #fail(batch: Batch, error: unknown): void {
    for (const { member, start } of batch.jobs) {
      this.#jobs.delete(member);
      member.work = undefined;
      member.text.truncate(start);
      if (!this.#members.has(member)) this.#scheduler.leave(member);
    }
    batch.reject(error);
  }

  #check(): void {
    check(this.#ended === undefined, "infer", () => "the model was disposed of: open another one");
  }

  /** A sequence on which nothing runs. */
  #checkIdle(member: SequenceMember): void {
    this.#check();
    check(this.#members.has(member), "infer", () => "the sequence was disposed of: make another one");
    check(!this.#jobs.has(member), "infer", () => "the sequence is being run: await that run first");
  }

  #checked({ sequence, ids, logits, hidden }: RunItem): SequenceMember {
    const member = sequence.memberOf(this);
    this.#checkIdle(member);
    check(ids.length > 0, "infer", () => "there is no token to go on from: give at least one, such as the begin-of-text token");
    this.#checkLength(member.text.length + ids.length);
    for (let i = 0; i < ids.length; i++) checkId(ids[i]!, this.vocabSize);
    if (isTop(logits)) checkTop(logits, this.vocabSize);
    const { nLayers } = this.#sizes;
    check(
      hidden === undefined || isOutput(hidden.output, nLayers),
      "infer",
      () =>
        `the output ${hidden?.output} is wanted, but the model has 0 (the embedding) to ${nLayers} (the last layer) and "final", and "queries.0" to "keys.${nLayers - 1}" of attention`,
    );
    return member;
  }

  #checkLength(length: number): void {
    const { contextLength, pages } = this.#sizes;
    check(length <= contextLength, "infer", () => `the text has ${length} tokens but the context holds ${contextLength}: shorten it`);
    check(
      length <= this.contextLength,
      "infer",
      () =>
        `the text has ${length} tokens but the pool's ${pages} pages hold ${this.contextLength}: shorten it, or open the model with more pages`,
    );
  }
}

function disposedInRun(): CriaError {
  return new CriaError("infer", "the sequence was disposed of while it was run: await the run first");
}
