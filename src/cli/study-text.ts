// What studies learn from: the demo's text as far as its packages are installed, a few megabytes of it, or a person's own files.
import { cutText, fail } from "../base/index.ts";
import { openEach, type TextOptions, type Texts } from "../corpus/index.ts";
import { readStream } from "../files/index.ts";
import type { StudyText } from "../study/index.ts";
import type { CommandIo } from "./command.ts";
import { type DemoSource, demoDocuments, openDemoSources } from "./demo-text.ts";
import { tellNotes } from "./text-flags.ts";

const where = "study";
/** Enough for models that see a megabyte or two. */
const mostCharacters = 6e6;
/** UTF-16 units of a document of a person's own text: long ones are cut, so that what is held out is of all of them. */
const longestDocument = 8000;

type StudyIo = Pick<CommandIo, "progress" | "signal" | "stderr">;

/** What a study learns from. Dispose of it in the end. */
export type OpenStudyText = StudyText & AsyncDisposable;

/** @param paths of a person's own texts; none for the demo's. @param reading how they are read. @throws CriaError when there is no text */
export async function studyText(paths: readonly string[], reading: TextOptions, io: StudyIo): Promise<OpenStudyText> {
  return paths.length > 0 ? ownText(paths, reading, io) : demoText(io);
}

/** A part of a study's text: which share of all it is, what it is called, and its documents. */
interface Part {
  readonly weight: number;
  readonly name: string;
  documents(): AsyncIterable<string>;
}

async function demoText(io: StudyIo): Promise<OpenStudyText> {
  const sources = await openDemoSources(where, { installedOnly: true });
  if (sources.length === 0) fail(where, "no text is installed here: give text of your own with --text FILE");
  const parts = sources.map((demo) => ({
    weight: demo.source.weight,
    name: `${demo.source.name} (${demo.origin})`,
    documents: () => textsOf(demo, io),
  }));
  return { ...studyTextOf(parts), [Symbol.asyncDispose]: async () => {} };
}

async function* textsOf(demo: DemoSource, io: StudyIo): AsyncGenerator<string> {
  for await (const { text } of demoDocuments(demo, where, io)) yield text;
}

/** A part per path, weighted by its size. */
async function ownText(paths: readonly string[], reading: TextOptions, io: StudyIo): Promise<OpenStudyText> {
  const { signal } = io;
  const opened = await openEach(paths, reading, { where, stdin: readStream("-", { where, signal }), signal });
  const close = async () => {
    for (const texts of opened) await texts[Symbol.asyncDispose]();
  };
  const parts = opened.map((texts, i) => ({
    weight: texts.bytes,
    name: paths[i] === "-" ? "standard input" : (paths[i] ?? ""),
    documents: () => cutDocuments(texts, `reading ${paths[i]}`, io),
  }));
  if (parts.every(({ weight }) => weight === 0)) {
    await close();
    fail(where, `${paths.join(", ")}: there are 0 bytes: name files with text in them`);
  }
  tellNotes(
    opened.flatMap(({ notes }) => notes),
    io,
  );
  return { ...studyTextOf(parts.filter(({ weight }) => weight > 0)), [Symbol.asyncDispose]: close };
}

async function* cutDocuments(texts: Texts, task: string, { signal, progress }: StudyIo): AsyncGenerator<string> {
  let done = 0;
  const onBytes = (bytes: number) => {
    done += bytes;
    progress({ task, done, total: texts.bytes, unit: "bytes" });
  };
  for await (const document of texts.documents({ signal, onBytes })) yield* cutText(document, longestDocument);
}

/** Each part's share of the characters, by its weight. */
function studyTextOf(parts: readonly Part[]): StudyText {
  const total = parts.reduce((sum, { weight }) => sum + weight, 0);
  const documents = async function* () {
    for (const part of parts) {
      let left = (mostCharacters * part.weight) / total;
      for await (const document of part.documents()) {
        if (left <= 0) break;
        yield document;
        left -= document.length;
      }
    }
  };
  const name = parts.map((part) => `${((100 * part.weight) / total).toFixed(0)} % ${part.name}`).join(", ");
  return { name, documents: { [Symbol.asyncIterator]: documents } };
}
