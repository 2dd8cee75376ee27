// A program for Node with cria inside. The worker's file is an entry of its own, which stands beside the program as worker.js.
import { build } from "esbuild";

await build({
  entryPoints: { app: "app.mjs", worker: "cria/worker" },
  outdir: "dist",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20",
  // Packages of CommonJS within ask for `require`.
  banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
});
