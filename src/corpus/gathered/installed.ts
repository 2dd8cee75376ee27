// Where an installed package lies, found as Node would: node_modules of this folder, then of every folder above it.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { explainIo } from "../../files/index.ts";

/** An installed package: its folder, version and licence. */
export interface Installed {
  readonly folder: string;
  readonly version: string;
  readonly licence: string;
}

/** Undefined when `name` is not installed. Reads package.json from disk: `require.resolve` refuses packages that don't export it. */
export async function findInstalled(root: string, name: string): Promise<Installed | undefined> {
  for (let folder = root; ; folder = dirname(folder)) {
    const found = join(folder, "node_modules", name);
    const manifest = join(found, "package.json");
    if (existsSync(manifest)) return { folder: found, ...(await readManifest(manifest)) };
    if (folder === dirname(folder)) return undefined;
  }
}

async function readManifest(path: string): Promise<{ version: string; licence: string }> {
  try {
    const { version, license } = JSON.parse(await readFile(path, "utf8")) as { version?: string; license?: string };
    return { version: version ?? "0.0.0", licence: license ?? "no licence named" };
  } catch (error) {
    throw explainIo("demo", path, error);
  }
}
