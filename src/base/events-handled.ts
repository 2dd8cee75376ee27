// A turn of the event loop, so that others get on.

/** Resolves when the events that are there have been handled: within microseconds where the platform can. */
export function eventsHandled(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === "function") setImmediate(resolve);
    else setTimeout(resolve);
  });
}
