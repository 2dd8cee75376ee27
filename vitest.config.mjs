// The tests run on the compiled JavaScript, so that what is tested is, byte for byte, what ships (and worker threads find their files).
// What takes minutes is named *.long.test and run by vitest.long.config.mjs alone.
import { configDefaults, defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["dist/**/*.test.js", "test/**/*.test.mjs"],
    exclude: [...configDefaults.exclude, "**/*.long.test.*"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Every test compiles what it runs, and none writes to the user's folders; those of the cache say where theirs is.
    env: { CRIA_CACHE: "off" },
    pool: "forks",
    maxWorkers: 2,
    // What is tested is loaded by Node itself, as users load it; only tests and their helpers go through vitest.
    server: { deps: { external: [/\/dist\/(?!.*(?:\.test\.|conformance))/] } },
    sequence: { hooks: "list" },
  },
});
