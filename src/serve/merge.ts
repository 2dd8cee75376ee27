// Several streams of events as one, a few of them at a time.

/** What all streams give, as soon as one of them does; `width` of them run at the same time, and ending early ends them. */
export async function* merged<T>(streams: Iterable<AsyncGenerator<T, void>>, width: number): AsyncGenerator<T, void> {
  const coming = streams[Symbol.iterator]();
  const running = new Map<AsyncGenerator<T, void>, Promise<Next<T>>>();
  const start = () => {
    const { value, done } = coming.next();
    if (!done) running.set(value, nextOf(value));
  };
  try {
    for (let i = 0; i < width; i++) start();
    while (running.size > 0) {
      const { stream, result } = await Promise.race(running.values());
      if (result.done) {
        running.delete(stream);
        start();
      } else {
        running.set(stream, nextOf(stream));
        yield result.value;
      }
    }
  } finally {
    await Promise.allSettled([...running.keys()].map((stream) => stream.return()));
  }
}

interface Next<T> {
  readonly stream: AsyncGenerator<T, void>;
  readonly result: IteratorResult<T, void>;
}

async function nextOf<T>(stream: AsyncGenerator<T, void>): Promise<Next<T>> {
  return { stream, result: await stream.next() };
}
