// The tests run on the compiled JavaScript, so that what is tested is, byte for byte, what ships (and worker threads find their files).
// What takes minutes is named *.long.test and run by vitest.long.config.mjs alone.
import { configDefaults, defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["dist/**/*.test.js", "test/**/*.test.mjs"],
    exclude: [...configDefaults.exclude, "**/*.long.test.*"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: "forks",
    maxWorkers: 2,
    // What is tested is loaded by Node itself, as users load it; only tests and their helpers go through vitest.
    server: { deps: { external: [/\/dist\/(?!.*(?:\.test\.|conformance))/] } },
    sequence: { hooks: "list" },
  },
});
