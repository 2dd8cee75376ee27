// Streams of Node as steps between iterables. They stand in a file of their own, so that no declaration that a program sees speaks of streams.
import { type Duplex, pipeline, Readable } from "node:stream";

/** What a stream makes of chunks; an error on either side ends both and is thrown here, and stopping early ends both, too. */
export async function* through<T>(chunks: AsyncIterable<T>, stream: Duplex): AsyncGenerator<unknown> {
  pipeline(Readable.from(chunks), stream, () => {});
  yield* stream;
}
