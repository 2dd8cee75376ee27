// @tensorflow/tfjs' wasm backend (XNNPACK) in Node: one thread, because its threads need a browser.
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** → name and matmul(n): a function that multiplies two n × n float32 matrices once. */
export async function open() {
  const tf = require("@tensorflow/tfjs-core");
  require("@tensorflow/tfjs-backend-wasm");
  await tf.setBackend("wasm");
  return {
    name: `@tensorflow/tfjs wasm ${require("@tensorflow/tfjs-core/package.json").version}, 1 thread`,
    matmul(n) {
      const [a, b] = [tf.randomUniform([n, n], -1, 1), tf.randomUniform([n, n], -1, 1)];
      return {
        run: async () => tf.dispose(tf.matMul(a, b)),
        dispose: () => tf.dispose([a, b]),
      };
    },
  };
}
