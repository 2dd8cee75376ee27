// @jax-js/jax on its wasm backend: one thread.
import { readFileSync } from "node:fs";

export async function open() {
  const jax = await import("@jax-js/jax");
  await jax.init("wasm");
  jax.defaultDevice("wasm");
  const version = JSON.parse(readFileSync(new URL("./node_modules/@jax-js/jax/package.json", import.meta.url), "utf8")).version;
  const { numpy: np, random } = jax;
  return {
    name: `@jax-js/jax wasm ${version}, 1 thread`,
    matmul(n) {
      const a = random.uniform(random.key(1), [n, n]);
      const b = random.uniform(random.key(2), [n, n]);
      return {
        run: async () => {
          const c = np.dot(a.ref, b.ref);
          await c.blockUntilReady();
          c.dispose();
        },
        dispose: () => {
          a.dispose();
          b.dispose();
        },
      };
    },
  };
}
