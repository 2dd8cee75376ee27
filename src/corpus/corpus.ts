// A recipe's texts, opened: every source's documents by side, read as often as needed.
import { createHash } from "node:crypto";

import { check } from "../base/index.ts";
import { partsOf, type SourceSplit, type Split, splitCorpus, type TextHash } from "../batches/index.ts";
import { type DocumentOrigin, originOf } from "./origin-index.ts";
import type { DataRecipe } from "./recipe.ts";
import { type DocumentsOptions, type OpenOptions, openTexts, type Texts } from "./texts/index.ts";

/** Measured: 2 GB/s where the portable one has 80 MB/s, on a corpus that is hashed two to four times. */
const nodeHash: TextHash = (text) => createHash("sha256").update(text, "utf8").digest();

/** A document and the source that it is from. */
export interface Document {
  readonly text: string;
  /** The name of the source in the recipe. */
  readonly source: string;
  readonly origin: DocumentOrigin;
}

/** Whether training sees a text, or evaluation alone. */
export type Side = "train" | "held out";

/** A document, or a stretch of one, and who sees it. */
export interface SidedDocument extends Document {
  readonly side: Side;
}

/** A source of a recipe, opened. */
export interface CorpusSource {
  readonly name: string;
  readonly weight: number;
  readonly texts: Texts;
}

/** How a corpus is opened. */
export interface OpenCorpusOptions extends OpenOptions {
  /** Sources whose texts are open, by their names: those that were cleaned. */
  readonly ready?: ReadonlyMap<string, Texts> | undefined;
}

/**
 * Opens the texts of every source. The corpus must be disposed of, because pipes were copied to temporary files.
 * @throws CriaError as `openTexts` does
 */
export async function openCorpus(recipe: DataRecipe, options: OpenCorpusOptions = {}): Promise<Corpus> {
  const sources: CorpusSource[] = [];
  try {
    for (const { name, weight, paths, format, field, separator, content, newlines, steps } of recipe.sources) {
      const texts = options.ready?.get(name);
      if (texts !== undefined) {
        sources.push({ name, weight, texts });
        continue;
      }
      check(
        steps === undefined,
        options.where ?? "data",
        () => `source "${name}" has steps, which a preparation does before its texts are read: prepare the data first`,
      );
      sources.push({ name, weight, texts: await openTexts([paths].flat(), { format, field, separator, content, newlines }, options) });
    }
    return new Corpus(recipe, sources, options.where ?? "data");
  } catch (error) {
    await Promise.all(sources.map(({ texts }) => texts[Symbol.asyncDispose]()));
    throw error;
  }
}

/** The texts of a recipe, whose documents can be read as often as needed. */
export class Corpus implements AsyncDisposable {
  readonly recipe: DataRecipe;
  readonly sources: readonly CorpusSource[];
  readonly #where: string;
  #split: Promise<Split> | undefined;

  constructor(recipe: DataRecipe, sources: readonly CorpusSource[], where: string) {
    this.recipe = recipe;
    this.sources = sources;
    this.#where = where;
  }

  /** What is held out, decided on the first call, which reads as much of the texts as that takes. @throws CriaError when a side would be empty */
  split({ signal, onBytes }: DocumentsOptions = {}): Promise<Split> {
    const sources = this.sources.map(({ name, texts }) => ({ name, documents: () => texts.documents({ signal, onBytes }) }));
    this.#split ??= splitCorpus(sources, this.recipe.heldOut, this.#where, nodeHash);
    return this.#split;
  }

  /** Sentences for people: what was passed over, and which sources are split by stretches of text. */
  async notes(): Promise<readonly string[]> {
    const { sources } = await this.split();
    const found = this.sources.flatMap(({ texts }) => texts.notes);
    return [...found, ...this.sources.flatMap(({ name }, i) => splitNote(name, sources[i]!))];
  }

  /** The documents of one side, or whole ones where none is named, of one source by its index or of all. */
  async *documents(side?: Side, source?: number, options: DocumentsOptions = {}): AsyncGenerator<Document> {
    for (const [i, { texts }] of this.sources.entries()) {
      if (source !== undefined && i !== source) continue;
      if (side === undefined) yield* this.#whole(texts, i, options);
      else for await (const document of this.sidedDocuments(texts, i, options)) if (document.side === side) yield document;
    }
  }

  /** The documents of some files of a source, or their stretches, with the side of each. @param texts these files */
  async *sidedDocuments(texts: Texts, source: number, options: DocumentsOptions = {}): AsyncGenerator<SidedDocument> {
    const split = await this.split(options.signal === undefined ? {} : { signal: options.signal });
    const { name } = this.sources[source]!;
    for await (const document of texts.placedDocuments(options))
      for (const { text, at, isHeldOut } of partsOf(document.text, split.sources[source]!, split))
        if (text.trim() !== "") yield { text, source: name, origin: originOf(document, at), side: isHeldOut ? "held out" : "train" };
  }

  async *#whole(texts: Texts, source: number, options: DocumentsOptions): AsyncGenerator<Document> {
    const { name } = this.sources[source]!;
    for await (const document of texts.placedDocuments(options))
      if (document.text.trim() !== "") yield { text: document.text, source: name, origin: originOf(document, 0) };
  }

  /** The texts of these documents alone. */
  async *texts(side?: Side, options: DocumentsOptions = {}): AsyncGenerator<string> {
    for await (const { text } of this.documents(side, undefined, options)) yield text;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.sources.map(({ texts }) => texts[Symbol.asyncDispose]()));
  }
}

function splitNote(name: string, { stretch }: SourceSplit): string[] {
  if (stretch === undefined) return [];
  return [`source "${name}" has few documents: what is held out are stretches of about ${stretch} characters of them, not whole ones`];
}
