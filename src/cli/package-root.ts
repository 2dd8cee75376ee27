// Cria's own folder: a checkout, or node_modules/cria where it is installed.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Two folders above dist/cli/. */
export const packageRoot = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** The version in cria's own package.json. */
export function packageVersion(): string {
  return (JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8")) as { version: string }).version;
}
