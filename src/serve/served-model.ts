// A loaded model as the server holds it: what the library's model does, who may use it when, and how fast prompts are read beside texts that are written.
import { pageKeys } from "../graph/index.ts";
import { LoadedLlama, type ModelThere } from "../llama/index.ts";
import { Admission } from "./admission.ts";
import { PrefillPace } from "./prefill-pace.ts";

/** What a server lets one model do at the same time. */
export interface Concurrency {
  /** Texts that are written at the same time, at most. */
  readonly sequences: number;
  /** Requests that wait, at most. */
  readonly queue: number;
}

/** A loaded model and the requests on it. */
export class ServedModel extends LoadedLlama {
  readonly admission: Admission;
  readonly pace: PrefillPace;
  /** The model's chat templates by name, as they stand in its files. */
  readonly templateTexts: ReadonlyMap<string, string>;

  constructor(there: ModelThere, { sequences, queue }: Concurrency) {
    super(there);
    this.admission = new Admission({ sequences, queue, pages: this.counts.pages });
    this.pace = new PrefillPace(this);
    this.templateTexts = there.chat.templateTexts;
  }

  /** Pages that so many tokens take. */
  static pagesOf(tokens: number): number {
    return Math.ceil(tokens / pageKeys);
  }

  /** Whether any of the model's templates reads a name. */
  templatesRead(name: string): boolean {
    return [...this.templateTexts.values()].some((text) => new RegExp(`\\b${name}\\b`).test(text));
  }
}
