// The packages that draw are optional: they are some 250 files, which nothing but a chart needs, and are loaded where one is drawn.
import { CriaError } from "../base/index.ts";

/** The packages that draw charts are not installed. */
export class PlotsMissing extends CriaError {}

/** What draws charts. @throws PlotsMissing, with how to install what it needs */
export async function loadPlots(): Promise<typeof import("./chart-svg.ts")> {
  try {
    return await import("./chart-svg.ts");
  } catch (error) {
    const missing = /^Cannot find package '(@observablehq\/plot|linkedom)'/.exec((error as Error).message)?.[1];
    if (missing === undefined) throw error;
    const message = `charts are drawn by the package ${missing}, which is not installed: npm install @observablehq/plot linkedom`;
    throw new PlotsMissing("plot", message, { cause: error });
  }
}
