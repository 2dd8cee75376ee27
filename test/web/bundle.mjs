// Programs bundled as their authors do it: by esbuild, which takes a worker's file as an entry of its own, and by vite, which finds it.
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import { build as viteBuild } from "vite";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** A package of its own that depends on cria and holds one module. @returns the module's path */
export function makeApp(folder, name, code) {
  mkdirSync(join(folder, "node_modules"), { recursive: true });
  symlinkSync(root, join(folder, "node_modules", "cria"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module", "private": true }');
  const path = join(folder, name);
  writeFileSync(path, code);
  return path;
}

/** @param entries the names of outputs, without .js, and what each is made of. @returns what esbuild tells of the bundle's files */
export async function bundleByEsbuild(folder, entries, out, options) {
  const { metafile } = await esbuild.build({
    ...{ absWorkingDir: folder, entryPoints: entries, outdir: out, bundle: true, format: "esm", splitting: true },
    ...{ metafile: true, logLevel: "error", ...options },
  });
  return metafile;
}

export async function bundleByVite(folder, options) {
  const built = await viteBuild({ root: folder, configFile: false, logLevel: "error", ...options });
  return built.output;
}
