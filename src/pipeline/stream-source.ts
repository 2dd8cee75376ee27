// A source's documents through its steps without files in between, for texts that are small enough to be cleaned anew each time.
import { fail } from "../base/index.ts";
import { CleanDocument, isDropped, openStages, type Stage } from "../clean/index.ts";
import { type DocumentsOptions, type OpenOptions, openTexts } from "../corpus/index.ts";
import type { CleanedSource } from "./open-job.ts";
import { filesFrom } from "./step-files.ts";

/** Where a source's paths start, who asks, and what a reading tells. */
export type StreamOptions = Omit<OpenOptions, "stdin"> & DocumentsOptions;

/**
 * The documents that stay, in the order of their files, each with its place as the fact `id`. What is damaged is passed over.
 * @throws CriaError where paths or steps are wrong, and where a step compares documents, which takes a preparation; the signal's reason when it aborts
 */
export async function* streamSource(source: CleanedSource, options: StreamOptions): AsyncGenerator<CleanDocument> {
  const { name, paths, format, field, separator, content, newlines, steps } = source;
  const { folder = ".", where = "data", signal, onBytes, onNote = () => {} } = options;
  const stages = await openStages(steps, { name: `source "${name}"`, files: filesFrom(folder) });
  const comparing = stages.find(({ behind }) => behind !== undefined)?.behind;
  if (comparing !== undefined)
    fail(
      where,
      `source "${name}": the step ${comparing.row.name} asks about all documents: prepare the recipe first, with cria data prepare`,
    );
  await using texts = await openTexts([paths].flat(), { format, field, separator, content, newlines }, options);
  for await (const { text, facts, place } of texts.placedDocuments({ signal, onBytes, onNote }))
    yield* through(new CleanDocument(text, { ...facts, id: place }), stages);
}

function* through(document: CleanDocument, [stage, ...later]: readonly Stage[]): Generator<CleanDocument> {
  if (stage === undefined) return yield document;
  for (const part of stage.cut?.step.parts(document) ?? [document]) {
    const { outcome } = stage.chain.apply(part);
    if (!isDropped(outcome)) yield* through(outcome, later);
  }
}
