// The tests run on the compiled JavaScript, so that what is tested is, byte for byte, what ships (and worker threads find their files).
// What takes minutes is named *.long.test and run by vitest.long.config.mjs alone.
import { configDefaults, defineConfig } from "vitest/config";

/** What short and long tests have in common. */
export const common = {
  // What hangs is told; what others slow down is no failure: a machine with ten times as many programs as processors takes minutes for seconds.
  testTimeout: 300_000,
  hookTimeout: 300_000,
  expect: { poll: { timeout: 60_000 } },
  // Every test compiles what it runs, and none writes to the user's folders; those of the cache say where theirs is.
  env: { CRIA_CACHE: "off" },
  pool: "forks",
  maxWorkers: 2,
  // What is tested is loaded by Node itself, as users load it; only tests and their helpers go through vitest.
  server: { deps: { external: [/\/dist\/(?!.*(?:\.test\.|conformance))/] } },
  sequence: { hooks: "list" },
};

const exclude = [...configDefaults.exclude, "**/*.long.test.*"];

/**
 * Tests of rooms leave their process as they found it: environment, working folder and listeners. Each worker runs their files in one process, which saves
 * a quarter of a second of processor time per file (starting Node, loading what the file before has loaded) and keeps V8's machine code. Two rooms change
 * what a process has only once, such as its threads and what code it may run. The tests of kernels turn relaxed SIMD on where Node 20 has it off, which is
 * one more target and changes nothing else.
 */
const inOneProcess = ["dist/**/*.test.js"];
const alone = ["dist/{host,threads}/**/*.test.js", "test/**/*.test.mjs"];

export default defineConfig({
  test: {
    ...common,
    projects: [
      { extends: true, test: { name: "in one process", include: inOneProcess, exclude: [...exclude, ...alone], isolate: false } },
      { extends: true, test: { name: "alone", include: alone, exclude } },
    ],
  },
});
