// The corpora on which training is held against SentencePiece's own trainers.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

export interface SpmCorpora {
  /** Novels, 16 million characters, a line per sentence: the trainers leave out lines of more than 4192 bytes. */
  readonly english: string;
  /** Sentences of 75 languages, with Cyrillic, Chinese, Japanese, Korean and other scripts. */
  readonly mixture: string;
  /** Programs, LaTeX, XML and templates. */
  readonly code: string;
}

/** @param data the data folder */
export function spmCorpora(data: string): SpmCorpora {
  const novels = linesOf(join(data, "text/eltec-eng")).flatMap(strings);
  const programs = ["eval/icl-gauntlet/programming", "eval/mbpp"].flatMap((folder) => linesOf(join(data, folder)).flatMap(strings));
  const markup = [...filesOf(join(data, "text/latex"), /\.(tex|bib|sty)$/), ...filesOf(join(data, "text/stackexchange"), /\.xml$/)];
  const templates = filesOf(join(data, "conformance"), /\.jinja$/);
  return {
    english: novels.join("\n").slice(0, 16_000_000).replaceAll(". ", ".\n"),
    mixture: textsOf(filesOf(join(data, "langid/lingua"), /sentences\.txt$/)).join("\n"),
    code: [...programs, ...textsOf([...markup, ...templates])].join("\n"),
  };
}

function textsOf(files: readonly string[]): string[] {
  return files.map((file) => readFileSync(file, "utf8"));
}

function filesOf(folder: string, pattern: RegExp): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => pattern.test(file))
    .sort()
    .map((file) => join(folder, file));
}

function linesOf(folder: string): unknown[] {
  return filesOf(folder, /\.jsonl(\.gz)?$/).flatMap((file) => {
    const bytes = readFileSync(file);
    const lines = (file.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8").split("\n");
    return lines.filter((line) => line.trim() !== "").map((line) => JSON.parse(line) as unknown);
  });
}

/** All strings of a JSON value. */
function strings(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return value !== null && typeof value === "object" ? Object.values(value).flatMap(strings) : [];
}
