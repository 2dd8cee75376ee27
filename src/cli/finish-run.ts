// What follows a finished run: other programs' sizes of the held-out text, what the model writes, and the report in the run folder.
import type { Backend } from "../backend/index.ts";
import { CriaError } from "../base/index.ts";
import type { PreparedData } from "../corpus/index.ts";
import { Llama } from "../index.ts";
import { PlotsMissing } from "../plot/index.ts";
import { type Compression, compressionBaselines, type RunFacts, type Sample, writeRunReport } from "../raise/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import type { CommandIo } from "./command.ts";
import { promptFrom, promptOf } from "./hints.ts";

/** Characters of held-out text that other programs are tried on: compressing more takes long and says the same. */
const mostCompressed = 4e6;

/** How small gzip, xz and brotli make the held-out text, or the first part of a long one; and how many bytes that has. */
export async function compressHeldOut(
  data: PreparedData,
  signal: AbortSignal,
): Promise<{ readonly bytes: number; readonly compression: readonly Compression[] }> {
  const texts: string[] = [];
  let length = 0;
  for await (const text of data.heldOutTexts()) {
    texts.push(text);
    length += text.length;
    if (length >= mostCompressed) break;
  }
  const bytes = new TextEncoder().encode(texts.join(""));
  return { bytes: bytes.length, compression: bytes.length === 0 ? [] : await compressionBaselines(bytes, signal) };
}

/** So many beginnings are tried. */
const mostPrompts = 3;

/** Beginnings in the language of the text: the first words of held-out documents. */
export async function promptsFrom(data: PreparedData, tokenizer: Tokenizer): Promise<readonly string[]> {
  const found = new Set<string>();
  for await (const text of data.heldOutTexts()) {
    const prompt = promptFrom(text);
    if (prompt !== "") found.add(prompt);
    if (found.size === mostPrompts) break;
  }
  return found.size > 0 ? [...found] : [await promptOf(data, tokenizer)];
}

/** Tokens per sample. */
const sampleTokens = 80;

/**
 * Lets the model go on from each prompt.
 * @param seconds when they are over, the sample that is being written ends, and no more begins
 * @param onSample is told each as soon as it is there
 */
export async function writeSamples(
  folder: string,
  prompts: readonly string[],
  { backend, seconds, signal }: { readonly backend: Backend; readonly seconds: number; readonly signal: AbortSignal },
  onSample: (sample: Sample) => void = () => {},
): Promise<Sample[]> {
  const end = performance.now() + 1000 * seconds;
  await using llama = await Llama.load(folder, { backend, signal });
  const samples: Sample[] = [];
  for (const [seed, prompt] of prompts.entries()) {
    if (samples.length > 0 && performance.now() > end) break;
    let text = "";
    for await (const piece of llama.generate(prompt, { temperature: 0.7, topP: 0.9, maxTokens: sampleTokens, seed, signal })) {
      text += piece;
      if (performance.now() > end) break;
    }
    const sample = { prompt, text };
    samples.push(sample);
    onSample(sample);
  }
  return samples;
}

/** Seconds for the samples of a run that has no time of its own. */
const usualSeconds = 10;

/** Writes the report of a run that is trained and saved. Where nothing draws charts, that is a note, as nothing else is lost. @returns its path */
export async function reportOrNote(folder: string, facts: RunFacts, { stderr }: Pick<CommandIo, "stderr">): Promise<string | undefined> {
  try {
    return await writeRunReport(folder, facts);
  } catch (error) {
    if (!(error instanceof PlotsMissing)) throw error;
    stderr(`note: the run has no report.html: ${error.message}\n`);
    return undefined;
  }
}

/** The report of a run by a recipe. What the model cannot write, the report says; the run itself is finished and saved. @returns its path */
export async function reportRun(
  folder: string,
  data: PreparedData,
  tokenizer: Tokenizer,
  backend: Backend,
  io: Pick<CommandIo, "signal" | "stderr">,
): Promise<string | undefined> {
  const { signal } = io;
  const notes: string[] = [];
  const prompts = await promptsFrom(data, tokenizer);
  const samples = await writeSamples(folder, prompts, { backend, seconds: usualSeconds, signal }).catch((error: unknown) => {
    if (!(error instanceof CriaError) || signal.aborted) throw error;
    notes.push(`It wrote nothing: ${error.message}`);
    return [];
  });
  const { compression } = await compressHeldOut(data, signal);
  const texts = data.manifest.sources.map(
    ({ name, tokens, bytes }) => `${name}: ${tokens.toLocaleString("en")} tokens of ${bytes.toLocaleString("en")} bytes`,
  );
  return reportOrNote(folder, { machine: backend.name, texts, samples, compression, notes }, io);
}
