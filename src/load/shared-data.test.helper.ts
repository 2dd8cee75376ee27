// Public data that some tests read and the project does not hold: a folder named by CRIA_DATA, or shared/data beside the checkout.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The path of `name` in that folder; undefined where it is absent: the test is then skipped and says so. */
export function sharedData(name: string): string | undefined {
  const folders = [process.env.CRIA_DATA ?? "", join(root, "../shared/data")].filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** The path of the case `name`, a folder with a README that says where it is from and what is right: in CRIA_CASES, or in shared/cases beside the checkout; undefined where it is absent. */
export function sharedCase(name: string): string | undefined {
  const folders = [process.env.CRIA_CASES ?? "", join(root, "../shared/cases")].filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}
