// Files of a network file system that another machine replaced while this one read them.

/** Tries in all. A task that runs twice replaces a file once. */
const mostTries = 3;

/** Whether an error, or what caused it, says that an open file is gone from its server (ESTALE of open(2), nfs(5)). */
function isStale(error: unknown): boolean {
  const { code, cause } = (error ?? {}) as { readonly code?: unknown; readonly cause?: unknown };
  return code === "ESTALE" || (cause !== undefined && isStale(cause));
}

/** Does what may be done again from its beginning; again, at most three times in all, where a file that it read was replaced by the same one. */
export async function againWhenStale<T>(run: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await run();
    } catch (error) {
      if (tries === mostTries || !isStale(error)) throw error;
    }
  }
}
