// The report's modules are loaded when one is written: those that draw are some 250 files, which take longer to load than `cria plan` takes to answer.
import type { RunFacts } from "./run-report.ts";

/** Writes a run's report beside it. @returns the path of RUN/report.html. @throws CriaError when the run cannot be read or the page not be written */
export async function writeRunReport(folder: string, facts: RunFacts): Promise<string> {
  const report = await import("./run-report.ts");
  return report.writeRunReport(folder, facts);
}
