// A program for Node with cria inside. The worker's file is an entry of its own, which stands beside the program as worker.js.
import { defineConfig } from "vite";

export default defineConfig({
  build: {
    target: "node20",
    rollupOptions: { input: { app: "app.mjs", worker: "cria/worker" }, output: { entryFileNames: "[name].js" } },
  },
  ssr: { noExternal: ["cria"] },
});
