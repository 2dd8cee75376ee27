// The plots of docs/paper from their data: NAME.json holds a chart and the command whose report it is from, NAME.svg its drawing.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { loadPlots } from "../dist/plot/index.js";

const { chartSvg } = await loadPlots();

/** Every plot of the folder that has data: [path of its drawing, the drawing]. */
export function drawPlots(folder) {
  const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
  return names.sort().map((name) => {
    const { command, chart } = JSON.parse(readFileSync(join(folder, name), "utf8"));
    return [join(folder, name.replace(/\.json$/, ".svg")), `<!-- ${command} -->\n${chartSvg(chart)}\n`]; // no "--" in a comment of SVG
  });
}
