// A turn of the event loop, so that others get on.

/** Node has it, a page has not. */
const { setImmediate } = globalThis as { readonly setImmediate?: (run: () => void) => void };

/** Resolves when the events that are there have been handled: within microseconds where the platform can. */
export function eventsHandled(): Promise<void> {
  return new Promise((resolve) => {
    (setImmediate ?? afterMessages)(resolve);
  });
}

/** A page delays timers by 4 ms and more, and messages not at all. */
function afterMessages(resolve: () => void): void {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    resolve();
  };
  port2.postMessage(undefined);
}
