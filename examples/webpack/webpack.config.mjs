// A program for Node with cria outside, as it is installed: machine code and worker files stay where they are.
export default {
  mode: "production",
  target: "node20",
  entry: { app: "./app.mjs" },
  output: { module: true, filename: "[name].js", chunkFormat: "module", library: { type: "module" } },
  experiments: { outputModule: true },
  externals: { cria: "module cria" },
};
