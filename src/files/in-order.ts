// Many small readings, some of them at the same time: a file system takes as long for one as for several, a shared one milliseconds.

/** So many are read ahead, because a dump has more files than a process may have open, or memory has room for. */
const readAhead = 32;

/** What is read for each number below `count`, in their order, some of it ahead. @throws what a reading throws */
export async function* inOrder<T>(count: number, read: (index: number) => Promise<T>): AsyncGenerator<T> {
  for (let first = 0; first < count; first += readAhead)
    yield* await Promise.all(Array.from({ length: Math.min(readAhead, count - first) }, (_, i) => read(first + i)));
}
