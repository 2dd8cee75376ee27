// Reads an ARPA file, the text form of n-gram models (ngram-format(5) of SRILM):
//
//   \data\
//   ngram 1=37
//   …
//   \1-grams:
//   log10 of the probability ⇥ the n-gram's words ⇥ log10 of the back-off weight, which may be missing
//   …
//   \end\
//
// Lines that begin with # may stand in front. Bytes come in chunks, and a line at a time is in memory.
import { check, fail } from "../base/index.ts";
import { mostOrder } from "./ngram-model.ts";
import type { NgramSink } from "./ngram-sink.ts";

const where = "ngrams";
/** Bytes of a line beyond which a file is none of n-grams. */
const mostLine = 1 << 20;

/** Gives all n-grams of an ARPA file. @throws CriaError naming the line that is wrong */
export async function readArpa(name: string, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, sink: NgramSink): Promise<void> {
  const lines = new ArpaLines(name, sink);
  let rest = new Uint8Array(0);
  for await (const chunk of chunks) rest = takeLines(name, rest, chunk, lines);
  lines.take(textOf(name, rest));
  lines.end();
}

/** Takes all lines that end in a chunk. @returns what is left of it */
function takeLines(name: string, before: Uint8Array, chunk: Uint8Array, lines: ArpaLines): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(before.length + chunk.length);
  bytes.set(before);
  bytes.set(chunk, before.length);
  let start = 0;
  for (let end = bytes.indexOf(0x0a, before.length); end >= 0; end = bytes.indexOf(0x0a, start)) {
    lines.take(textOf(name, bytes.subarray(start, end)));
    start = end + 1;
  }
  check(bytes.length - start <= mostLine, where, () => `${name}: a line has more than ${mostLine} bytes: it is no ARPA file`);
  return bytes.slice(start);
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function textOf(name: string, bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    return fail(where, `${name}: a line is no UTF-8: convert the file`);
  }
}

/** Where a file stands: in front of its counts, among them, in the list of some order, between two lists, behind the last one. */
type Part = "front" | "counts" | "list" | "between" | "end";

/** Understands one line after another. */
class ArpaLines {
  readonly #name: string;
  readonly #sink: NgramSink;
  readonly #counts: number[] = [];
  readonly #ids = new Map<string, number>();
  #part: Part = "front";
  #line = 0;
  #order = 0;
  /** N-grams that are still to come in the list. */
  #left = 0;

  constructor(name: string, sink: NgramSink) {
    [this.#name, this.#sink] = [name, sink];
  }

  take(text: string): void {
    this.#line++;
    const line = text.endsWith("\r") ? text.slice(0, -1) : text;
    if (line.trim() === "") {
      if (this.#part === "counts") this.#part = "between";
    } else if (this.#part === "front") this.#takeFront(line);
    else if (this.#part === "list" && this.#left > 0) this.#takeNgram(line);
    else if (this.#part === "end") this.#fail(`"${line}" stands behind \\end\\`, "cut it off");
    else if (this.#part === "counts" && line.startsWith("ngram ")) this.#takeCount(line);
    else this.#takeHeading(line);
  }

  end(): void {
    if (this.#part !== "end") this.#fail("the file ends without \\end\\", "it is cut short, write it again");
  }

  #takeFront(line: string): void {
    if (line === "\\data\\") this.#part = "counts";
    else if (!line.startsWith("#")) this.#fail(`"${line.slice(0, 40)}" stands where \\data\\ must`, "name an ARPA file that is unpacked");
  }

  #takeCount(line: string): void {
    const [, order = "", count = ""] = /^ngram\s+(\d+)\s*=\s*(\d+)\s*$/.exec(line) ?? [];
    this.#counts.push(Number(count));
    if (Number(order) !== this.#counts.length)
      this.#fail(`"${line}" stands where "ngram ${this.#counts.length}=…" must`, "mend the counts");
    if (this.#counts.length > mostOrder)
      this.#fail(`it has n-grams of ${order} words, but at most ${mostOrder} are supported`, "train a model of a lower order");
  }

  #takeHeading(line: string): void {
    if (this.#order === 0) this.#sink.begin(this.#checkedCounts());
    const next = this.#order + 1;
    if (line === "\\end\\" && this.#order === this.#counts.length) this.#part = "end";
    else if (line === `\\${next}-grams:` && next <= this.#counts.length) {
      [this.#part, this.#order] = ["list", next];
      this.#left = this.#counts[next - 1]!;
    } else {
      const wanted = next > this.#counts.length ? "\\end\\" : `\\${next}-grams:`;
      const more = this.#order > 0 ? `, behind the ${this.#counts[this.#order - 1]} n-grams that the counts say` : "";
      this.#fail(`"${line.slice(0, 40)}" stands where ${wanted} must${more}`, "mend the file");
    }
  }

  #checkedCounts(): readonly number[] {
    if (this.#counts.length === 0) this.#fail("it has no counts", "mend the file");
    return this.#counts;
  }

  #takeNgram(line: string): void {
    const [probabilityText = "", ...fields] = line.split(/[\t ]+/);
    const order = this.#order;
    if (fields.length !== order && fields.length !== order + 1)
      this.#fail(
        `"${line.slice(0, 40)}" is no n-gram of ${order} words, of which ${this.#left} are still to come`,
        "mend the list or its count",
      );
    const probability = numberOf(probabilityText);
    if (!(probability <= 0)) this.#fail(`a log10 of a probability is ${probabilityText} but must be at most 0`, "mend it");
    const backoff = fields.length > order ? numberOf(fields[order]!) : 0;
    if (!Number.isFinite(backoff)) this.#fail(`a log10 of a back-off weight is ${fields[order]}`, "mend it");
    if (order === this.#counts.length && backoff !== 0)
      this.#fail(`the longest n-grams have no back-off weight, but ${backoff} stands there`, "leave it out");
    this.#left--;
    if (order === 1) this.#ids.set(fields[0]!, this.#sink.word(fields[0]!, probability, backoff));
    else this.#sink.ngram(this.#idsOf(fields.slice(0, order)), probability, backoff);
  }

  #idsOf(words: readonly string[]): readonly number[] {
    return words.map((word) => this.#ids.get(word) ?? this.#fail(`the word "${word}" is not among the 1-grams`, "add it there"));
  }

  #fail(problem: string, wayOut: string): never {
    return fail(where, `${this.#name}, line ${this.#line}: ${problem}: ${wayOut}`);
  }
}

function numberOf(text: string): number {
  if (text === "-inf") return Number.NEGATIVE_INFINITY;
  return /^[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?$/.test(text) ? Number(text) : Number.NaN;
}
