// Pairs of documents, on disk: the earlier and the later one as a number of 64 bits, the earlier in its upper half. A task writes them in sorted runs, each as
// large as memory allows; what joins them reads all runs of all tasks at the same time, in one order that no setting changes.
//
//   | pairs of each run u64 … | number of pairs u32 and their CRC-32 u32, of each run … | runs u32 | CRC-32 of what stands behind the pairs u32 |
import { AtomicFile, Checksum } from "../files/index.ts";
import { bytesOfNumbers, checkWritten, damaged, readBytes, readNumbers, withFile } from "./numbers.ts";

const where = "data";

/** Gathers pairs, each of which is an earlier and a later document. */
export interface PairSink {
  add(earlier: number, later: number): void;
}

/** Writes pairs, of which memory holds one run. */
export class PairWriter implements PairSink, AsyncDisposable {
  readonly #file: AtomicFile;
  readonly #most: number;
  /** Pairs of each run, and their checksum, in turns. */
  readonly #runs: number[] = [];
  /** Lower and upper half of each pair, in turns. */
  #halves = new Uint32Array(1 << 12);
  #count = 0;

  private constructor(file: AtomicFile, most: number) {
    [this.#file, this.#most] = [file, most];
  }

  /** @param runBytes after which {@link settle} writes a run */
  static async open(path: string, runBytes: number): Promise<PairWriter> {
    return new PairWriter(await AtomicFile.open(path, where), Math.max(1, Math.floor(runBytes / 8)));
  }

  add(earlier: number, later: number): void {
    if (2 * this.#count === this.#halves.length) {
      const grown = new Uint32Array(2 * this.#halves.length);
      grown.set(this.#halves);
      this.#halves = grown;
    }
    this.#halves[2 * this.#count] = later;
    this.#halves[2 * this.#count + 1] = earlier;
    this.#count++;
  }

  /** Writes what there is, where it is a run's. */
  async settle(): Promise<void> {
    if (this.#count >= this.#most) await this.#writeRun();
  }

  /** Makes what was written the file. */
  async finish(): Promise<void> {
    await this.#writeRun();
    const tail = Uint32Array.from([...this.#runs, this.#runs.length / 2]);
    await this.#file.write(bytesOfNumbers(tail));
    await this.#file.write(bytesOfNumbers(Uint32Array.of(Checksum.of(tail))));
    await this.#file.commit();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#file[Symbol.asyncDispose]();
  }

  async #writeRun(): Promise<void> {
    if (this.#count === 0) return;
    const pairs = new BigUint64Array(this.#halves.buffer, 0, this.#count).sort();
    let kept = 0;
    for (let i = 0; i < pairs.length; i++) if (i === 0 || pairs[i] !== pairs[kept - 1]) pairs[kept++] = pairs[i]!;
    await this.#file.write(bytesOfNumbers(pairs.subarray(0, kept)));
    this.#runs.push(kept, Checksum.of(pairs.subarray(0, kept)));
    this.#count = 0;
  }
}

/** Where a run of pairs lies. */
export interface PairRun {
  readonly path: string;
  readonly start: number;
  readonly pairs: number;
  readonly checksum: number;
}

/** Numbers behind those of the runs. */
const tailNumbers = 2;

/** The runs of a task's file. @throws CriaError where it is cut short or changed */
export async function pairRunsOf(path: string): Promise<readonly PairRun[]> {
  return withFile(path, async (file) => {
    const { size } = await file.stat();
    const last = await readNumbers(file, path, size - 4 * tailNumbers, tailNumbers);
    const [count = 0, written = 0] = last;
    const end = size - 4 * (2 * count + tailNumbers);
    const runs = await readNumbers(file, path, end, 2 * count);
    const sum = new Checksum();
    sum.add(runs);
    sum.add(last.subarray(0, -1));
    checkWritten(path, "its numbers of pairs", sum.value, written);
    const found: PairRun[] = [];
    let start = 0;
    for (let i = 0; i < runs.length; i += 2) {
      found.push({ path, start, pairs: runs[i]!, checksum: runs[i + 1]! });
      start += 8 * runs[i]!;
    }
    return start === end ? found : damaged(path);
  });
}

/** The pairs of a run, so many at a time. @throws CriaError where it is cut short or changed */
export async function* readPairs({ path, start, pairs, checksum }: PairRun, most: number): AsyncGenerator<BigUint64Array> {
  const read = new Checksum();
  for (let done = 0; done < pairs; done += most) {
    const count = Math.min(most, pairs - done);
    const bytes = await withFile(path, (file) => readBytes(file, path, start + 8 * done, 8 * count));
    read.add(bytes);
    yield new BigUint64Array(bytes.buffer, bytes.byteOffset, count);
  }
  checkWritten(path, "its pairs", read.value, checksum);
}

/** The next pair of a run that is merged. */
interface Cursor {
  readonly chunks: AsyncIterator<BigUint64Array>;
  chunk: BigUint64Array;
  at: number;
}

/** All pairs of sorted runs in their order, each once, some at a time. @param most pairs of each run that are in memory */
export async function* mergePairs(runs: readonly PairRun[], most: number): AsyncGenerator<BigUint64Array> {
  const heap: Cursor[] = [];
  for (const run of runs) {
    const cursor = { chunks: readPairs(run, most)[Symbol.asyncIterator](), chunk: new BigUint64Array(), at: 0 };
    if (await refill(cursor)) sink(heap, heap.push(cursor) - 1);
  }
  const merged = new BigUint64Array(1 << 12);
  let count = 0;
  let last: bigint | undefined;
  for (let top = heap[0]; top !== undefined; top = heap[0]) {
    const pair = top.chunk[top.at]!;
    if (pair !== last) merged[count++] = pair;
    last = pair;
    if (count === merged.length) {
      yield merged.slice();
      count = 0;
    }
    if (++top.at === top.chunk.length && !(await refill(top))) {
      const moved = heap.pop()!;
      if (heap.length > 0) heap[0] = moved;
    }
    settleTop(heap);
  }
  yield merged.slice(0, count);
}

async function refill(cursor: Cursor): Promise<boolean> {
  const { done, value } = await cursor.chunks.next();
  if (done === true) return false;
  [cursor.chunk, cursor.at] = [value, 0];
  return true;
}

function pairOf({ chunk, at }: Cursor): bigint {
  return chunk[at]!;
}

/** Moves a new last cursor to where the ones above it have lesser pairs. */
function sink(heap: Cursor[], place: number): void {
  for (let at = place; at > 0; ) {
    const parent = (at - 1) >> 1;
    if (pairOf(heap[parent]!) <= pairOf(heap[at]!)) return;
    [heap[parent], heap[at]] = [heap[at]!, heap[parent]!];
    at = parent;
  }
}

/** Moves the first cursor to where the ones below it have greater pairs. */
function settleTop(heap: Cursor[]): void {
  for (let at = 0; ; ) {
    let least = at;
    for (const child of [2 * at + 1, 2 * at + 2]) if (child < heap.length && pairOf(heap[child]!) < pairOf(heap[least]!)) least = child;
    if (least === at) return;
    [heap[at], heap[least]] = [heap[least]!, heap[at]!];
    at = least;
  }
}
