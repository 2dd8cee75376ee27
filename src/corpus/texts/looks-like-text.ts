// People name a text where a recipe belongs; this says when it is one, so that they can be told what to do.
import { stat } from "node:fs/promises";
import { join } from "node:path";
import picomatch from "picomatch";
import { sizeLimits } from "../../base/index.ts";
import { readWhole } from "../../files/index.ts";
import { isAddress } from "../../hub/index.ts";
import { formOfName } from "./forms.ts";
import { sniff } from "./sniff.ts";

/** Endings of recipes; JSON is YAML, too. */
const recipes = /\.(ya?ml|json)$/i;
/** What a run or a model has, so that a folder with one of them is no folder of texts. */
const ofOurs = ["train.yaml", "checkpoints", "config.json"];

/**
 * Whether a path is surely meant as text and not as a recipe or a run: "-", a pattern, a pipe, a folder that is no run or model, or a file whose ending or
 * content is a text's. False for a path that is not there.
 */
export async function looksLikeText(path: string): Promise<boolean> {
  if (path === "-" || isAddress(path) || path.startsWith("hf:datasets/")) return true;
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return picomatch.scan(path.replaceAll("\\", "/")).isGlob;
  if (found.isDirectory()) return !(await Promise.all(ofOurs.map((name) => isThere(join(path, name))))).includes(true);
  if (!found.isFile()) return found.isFIFO() || found.isSocket();
  if (recipes.test(path)) return false;
  if (formOfName(path) !== undefined || found.size > sizeLimits.recipe) return true;
  if ((await sniff(path, path, { where: "data" })) !== "text") return true;
  const { isYamlMap } = await import("../../schema/index.ts"); // a tenth of a second, which threads that read texts need not wait for
  return !isYamlMap(new TextDecoder().decode(await readWhole(path, "data", "recipe")));
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
