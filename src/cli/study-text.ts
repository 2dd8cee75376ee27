// What studies learn from: the demo's text as far as its packages are installed, a few megabytes of it, or a person's own files.
import { fail, type OnProgress } from "../base/index.ts";
import type { TextOptions } from "../corpus/index.ts";
import { type GatheredSource, gatherCorpus, textCorpus } from "../corpus/index.ts";
import { readStream } from "../files/index.ts";
import type { StudyText } from "../study/index.ts";
import { packageRoot } from "./package-root.ts";

const where = "study";
/** Enough for models that see a megabyte or two. */
const mostCharacters = 6e6;

interface StudyTextOptions {
  readonly progress: OnProgress;
  readonly signal: AbortSignal;
  /** How a person's own files are read. */
  readonly reading: TextOptions;
  readonly stderr: (text: string) => void;
}

/** What a study learns from. Dispose of it in the end. */
export type OpenStudyText = StudyText & AsyncDisposable;

/** @param paths of a person's own texts; none for the demo's. @throws CriaError when there is no text */
export async function studyText(paths: readonly string[], options: StudyTextOptions): Promise<OpenStudyText> {
  const own =
    paths.length > 0
      ? await textCorpus(paths, { ...options, where, stdin: readStream("-", { where, signal: options.signal }) })
      : undefined;
  const sources = own?.sources ?? (await gatherCorpus({ root: packageRoot, installedOnly: true, where, ...options }));
  if (sources.length === 0) fail(where, "no text is installed here: give text of your own with --text FILE");
  for (const note of own?.notes ?? []) options.stderr(`note: ${note}\n`);
  return {
    name: describe(sources),
    documents: { [Symbol.asyncIterator]: () => documents(sources) },
    [Symbol.asyncDispose]: async () => own?.[Symbol.asyncDispose](),
  };
}

/** Each source's share of the characters, by its weight. */
async function* documents(sources: readonly GatheredSource[]): AsyncGenerator<string> {
  const total = sources.reduce((sum, { weight }) => sum + weight, 0);
  for (const source of sources) {
    let left = (mostCharacters * source.weight) / total;
    for await (const document of source.documents) {
      if (left <= 0) break;
      yield document;
      left -= document.length;
    }
  }
}

function describe(sources: readonly GatheredSource[]): string {
  const total = sources.reduce((sum, { weight }) => sum + weight, 0);
  return sources.map(({ name, weight, package: origin }) => `${((100 * weight) / total).toFixed(0)} % ${name} (${origin})`).join(", ");
}
