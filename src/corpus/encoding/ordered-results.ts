// Encoded documents in the order in which they were read, though the threads are done with them in another one.
import type { EncodedDocument } from "../write-shards.ts";
import type { EncodedBatch } from "./encode-worker.ts";

interface Entry {
  readonly units: number;
  /** Absent until a thread has answered. */
  documents?: Iterable<EncodedDocument>;
  readonly answer?: Promise<void>;
}

/** A queue that gives its first documents out as soon as they are encoded. */
export class OrderedResults {
  readonly #entries: Entry[] = [];
  #units = 0;

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  /** How much text the queue holds, in UTF-16 units. */
  get units(): number {
    return this.#units;
  }

  /** Adds a document that is encoded. */
  add(document: EncodedDocument, units: number): void {
    this.#push({ units, documents: [document] });
  }

  /** Adds documents that a thread is encoding. */
  addBatch(batch: Promise<EncodedBatch>, units: number): void {
    const answer = batch.then((encoded) => {
      entry.documents = documentsOf(encoded);
    });
    const entry: Entry = { units, answer };
    answer.catch(() => undefined); // who waits for the entry hears of it
    this.#push(entry);
  }

  /** The documents that wait for none in front of them. */
  *finished(): Generator<EncodedDocument> {
    for (let first = this.#entries[0]; first?.documents !== undefined; first = this.#entries[0]) {
      this.#entries.shift();
      this.#units -= first.units;
      yield* first.documents;
    }
  }

  /** The same, when the first of all is encoded. @throws why it cannot be */
  async wait(): Promise<Generator<EncodedDocument>> {
    await this.#entries[0]?.answer;
    return this.finished();
  }

  #push(entry: Entry): void {
    this.#entries.push(entry);
    this.#units += entry.units;
  }
}

function* documentsOf({ ids, ends, bytes }: EncodedBatch): Generator<EncodedDocument> {
  for (const [i, end] of ends.entries()) yield { tokens: ids.subarray(i === 0 ? 0 : ends[i - 1], end), bytes: bytes[i]! };
}
