// Texts that packages of npm carry: npm:PACKAGE/PATTERN names files of a package, wherever Node would find it from the recipe's folder.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { fail } from "../../base/index.ts";
import { explainIo } from "../../files/index.ts";
import { expandPaths, type FoundFile } from "./expand-paths.ts";
import type { PassedOver } from "./passed-over.ts";

/** An installed package. */
export interface Installed {
  readonly folder: string;
  readonly version: string;
}

const scheme = "npm:";
const parts = /^npm:((?:@[^/]+\/)?[^@/][^/]*)\/(.+)$/;

/** Whether a path is of a package. */
export function isInstalledPath(path: string): boolean {
  return path.startsWith(scheme);
}

/** The package that a path is of; undefined for other paths. */
export function packageOf(path: string): string | undefined {
  return parts.exec(path)?.[1];
}

/**
 * The files of a package that a path names. Their label is `npm:PACKAGE/PATH`, the same wherever the package lies.
 * @param folder where Node begins to look for the package
 * @throws CriaError where the package is not installed, or has no such files
 */
export async function expandInstalled(
  path: string,
  folder: string,
  where: string,
  passedOver: PassedOver,
): Promise<readonly (FoundFile & { readonly label: string })[]> {
  const [, name, inside] = parts.exec(path) ?? [];
  if (name === undefined || inside === undefined)
    return fail(where, `${path}: it names no files of a package: write npm:PACKAGE/FILES, as in npm:zod/src/**/*.ts`);
  const installed = await findInstalled(folder, name);
  if (installed === undefined)
    return fail(
      where,
      `${path}: the package ${name} is not installed here: run "npm ci" in a checkout of cria, or npm install ${name}, or give text of your own`,
      { ways: ["text"] },
    );
  const files = await expandPaths([inside], installed.folder, where, passedOver);
  return files.map((file) => ({
    ...file,
    root: installed.folder,
    label: `${scheme}${name}/${relative(installed.folder, file.path).split(sep).join("/")}`,
  }));
}

/**
 * Where an installed package lies, found as Node would: node_modules of this folder, then of every folder above it. Undefined when it is not installed.
 * package.json is read from disk, because `require.resolve` refuses packages that don't export it.
 */
export async function findInstalled(root: string, name: string): Promise<Installed | undefined> {
  for (let folder = root; ; folder = dirname(folder)) {
    const found = join(folder, "node_modules", name);
    const manifest = join(found, "package.json");
    if (existsSync(manifest)) return { folder: found, version: await readVersion(manifest) };
    if (folder === dirname(folder)) return undefined;
  }
}

async function readVersion(manifest: string): Promise<string> {
  try {
    const { version } = JSON.parse(await readFile(manifest, "utf8")) as { version?: string };
    return version ?? "0.0.0";
  } catch (error) {
    throw explainIo("data", manifest, error);
  }
}
