// The tests run on the compiled JavaScript, so that what is tested is, byte for byte, what ships (and worker threads find their files).
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["dist/**/*.test.js", "test/**/*.test.mjs"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: "forks",
    maxWorkers: 2,
    sequence: { hooks: "list" },
  },
});
