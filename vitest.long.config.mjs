// What `npm run test:long` runs: the tests that take minutes, with time to do so. CI leaves them out.
import { defineConfig } from "vitest/config";
import { common } from "./vitest.config.mjs";

export default defineConfig({
  test: {
    ...common,
    include: ["dist/**/*.long.test.js", "test/**/*.long.test.mjs"],
    exclude: ["**/node_modules/**"],
    testTimeout: 1_800_000,
    hookTimeout: 1_800_000,
    passWithNoTests: true,
  },
});
