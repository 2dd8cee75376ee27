// The demo's text: what recipes/demo.yaml names in installed packages, cleaned by its steps.
import { join } from "node:path";
import type { CleanDocument } from "../clean/index.ts";
import { dataRecipe, findInstalled, openCorpus, openTexts, packageOf, readYaml } from "../corpus/index.ts";
import { atomicWrite } from "../files/index.ts";
import { type CleanedSource, hasSteps, streamSource } from "../pipeline/index.ts";
import type { CommandIo } from "./command.ts";
import { packageRoot } from "./package-root.ts";
import { RunText } from "./run-text.ts";

const recipeFolder = join(packageRoot, "recipes");
/** Share of the documents that training never sees: more where there are few, so that there is something to measure on. */
const heldOutShare = (documents: number) => Math.min(0.3, Math.max(0.02, 20 / documents));

/** A source of the demo's text, whose files are there. */
export interface DemoSource {
  readonly source: CleanedSource;
  /** The packages that it is from, as `name@version`. */
  readonly origin: string;
  /** Bytes of its files. */
  readonly bytes: number;
}

/**
 * The sources of recipes/demo.yaml.
 * @param installedOnly leaves out those whose packages are not installed
 * @throws CriaError when a package is not installed, unless those may be left out
 */
export async function openDemoSources(where: string, { installedOnly = false } = {}): Promise<readonly DemoSource[]> {
  const { sources } = await readYaml(join(recipeFolder, "demo.yaml"), dataRecipe, where);
  const opened: DemoSource[] = [];
  for (const source of sources.filter(hasSteps)) {
    const names = [...new Set([source.paths].flat().flatMap((path) => packageOf(path) ?? []))];
    const packages = await Promise.all(names.map(async (name) => ({ name, found: await findInstalled(recipeFolder, name) })));
    if (installedOnly && packages.some(({ found }) => found === undefined)) continue;
    const origin = packages.map(({ name, found }) => `${name}@${found?.version ?? "?"}`).join(", ");
    await using texts = await openTexts([source.paths].flat(), { format: source.format }, { folder: recipeFolder, where });
    opened.push({ source, origin, bytes: texts.bytes });
  }
  return opened;
}

/** The clean documents of a source, the same ones in the same order each time. */
export async function* demoDocuments(
  { source, bytes }: DemoSource,
  where: string,
  { progress, signal }: Pick<CommandIo, "progress" | "signal">,
): AsyncGenerator<CleanDocument> {
  let done = 0;
  const onBytes = (read: number) => {
    done += read;
    progress({ task: `reading ${source.name}`, done, total: bytes, unit: "bytes" });
  };
  yield* streamSource(source, { folder: recipeFolder, where, signal, onBytes });
}

/** The text as JSONL in the run folder, a file per source: what was learnt from stays beside what was learnt. */
export async function openDemoText(sources: readonly DemoSource[], folder: string, where: string, io: CommandIo): Promise<RunText> {
  const lines: string[] = [];
  let documents = 0;
  const total = sources.reduce((sum, { source }) => sum + source.weight, 0);
  for (const demo of sources) {
    let bytes = 0;
    const rows = async function* () {
      for await (const { text, facts } of demoDocuments(demo, where, io)) {
        bytes += Buffer.byteLength(text);
        documents++;
        yield Buffer.from(`${JSON.stringify({ text, facts })}\n`);
      }
    };
    await atomicWrite(join(folder, textPath(demo)), rows(), where);
    lines.push(described(demo, demo.source.weight / total, bytes));
  }
  const cleaned = sources.map((demo) => {
    const { name, weight, licence } = demo.source;
    return { name, paths: textPath(demo), field: "text", weight, licence };
  });
  const recipe = { sources: cleaned, heldOut: heldOutShare(documents), boundaries: "both" as const };
  return new RunText(await openCorpus(recipe, { folder, where, signal: io.signal }), lines, io);
}

function described({ source: { name, licence }, origin }: DemoSource, share: number, bytes: number): string {
  const amounts = [`${(100 * share).toFixed(0)} %`.padStart(5), name.padEnd(18), `${(bytes / 1e6).toFixed(2)} MB`.padStart(8)];
  return `${amounts.join(" ")}  ${origin}, ${licence}`;
}

/** Where the documents of a source lie in the run folder. */
function textPath({ source }: DemoSource): string {
  return `text/${source.name}.jsonl`;
}
