// Several things at the same time, but not all.

/** What comes of each item, of which at most `most` are begun and not ended. The first error ends it when what was begun has ended. */
export async function atOnce<Item, Result>(items: readonly Item[], most: number, work: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  const waiting = items.entries();
  let failed = false;
  const next = async () => {
    for (const [i, item] of waiting) {
      if (failed) return;
      try {
        results[i] = await work(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: Math.min(most, items.length) }, next));
  for (const one of ended) if (one.status === "rejected") throw one.reason;
  return results;
}
