// What cleaning did, for people: each step of each source with what went in and came out, the reasons, what was found, and what was not read.
import { join } from "node:path";
import { cleaningPageName, judgeTruths, measuredSpeed, type ToldSource } from "../pipeline/index.ts";
import { table } from "./data-text.ts";

/** A table per source, and where the page in the prepared folder is; nothing where nothing was cleaned. */
export function cleaningText(sources: readonly ToldSource[], folder: string): string {
  return sources.length === 0 ? "" : `${sources.map(sourceText).join("")}what went and why: ${join(folder, cleaningPageName)}\n`;
}

/** The counts of each step of each source, without the documents that the report shows. */
export function cleaningCounts(sources: readonly ToldSource[]): readonly object[] {
  return sources.map(({ name, report, tokens, found, times }) => {
    const steps = report.steps.map((step) => ({
      ...{ name: step.name, in: step.in, out: step.out, rewritten: step.rewritten },
      reasons: Object.fromEntries(Object.entries(step.reasons).map(([reason, { documents }]) => [reason, documents])),
    }));
    const { read, kept, notes, languages, truths, strayTruths } = report;
    return { name, read, kept, notes, languages, truths, strayTruths, ...(tokens && { tokens }), steps, found, times };
  });
}

function sourceText(source: ToldSource): string {
  const { name, report } = source;
  const { read, kept, steps, notes } = report;
  const reasons = steps.flatMap((step) =>
    Object.entries(step.reasons).map(([reason, { documents }]) => ({ step: step.name, reason, documents })),
  );
  const listed = reasons
    .sort((a, b) => b.documents - a.documents)
    .slice(0, 8)
    .map(({ step, reason, documents }) => `  ${whole(documents)} dropped by ${step}: ${reason}\n`);
  const noted = [...notes]
    .sort((a, b) => b.count - a.count || (a.what < b.what ? -1 : 1))
    .map(({ kind, what, count }) => `  ${whole(count)} ${kind} while reading: ${what}\n`);
  const head = `${name}: ${whole(kept.documents)} of ${whole(read.documents)} documents stay, ${share(kept.bytes, read.bytes)} of the text\n`;
  return [head, table(stepRows(source)), ...noted, ...listed, ...clusterLines(source), truthText(source)].join("");
}

/** The tokens of a step are estimated by the bytes per token of what training reads. */
function stepRows({ report: { read, steps }, tokens, times }: ToldSource): string[][] {
  const perToken = tokens === undefined || tokens.tokens === 0 ? undefined : tokens.bytes / tokens.tokens;
  const about = (bytes: number) => (perToken === undefined ? "" : `~${whole(Math.round(bytes / perToken))}`);
  const rate = (name: string) => {
    const own = times.filter((time) => time.name === name);
    const [seconds, bytes] = [own.reduce((sum, time) => sum + time.seconds, 0), Math.max(0, ...own.map((time) => time.bytes))];
    return seconds === 0 ? "" : measuredSpeed(bytes, seconds);
  };
  const row = (name: string, { documents, bytes }: typeof read, rewritten: string, speed: string) => {
    return [name, whole(documents), whole(bytes), about(bytes), share(bytes, read.bytes), rewritten, speed];
  };
  return [
    ["after", "documents", "bytes", "tokens", "of the text", "rewritten", "MB/s"],
    row("read", read, "", rate("reading")),
    ...steps.map((step) => row(step.name, step.out, whole(step.rewritten), rate(step.name))),
  ];
}

function clusterLines({ report: { steps } }: ToldSource): string[] {
  return steps.flatMap(({ name, clusters }) => {
    if (clusters === undefined || clusters.copies === 0) return [];
    const count = Object.values(clusters.sizes).reduce((sum, each) => sum + each, 0);
    const largest = clusters.largest[0]?.documents ?? 0;
    const apart =
      clusters.leftApart === 0 ? "" : `; ${whole(clusters.leftApart)} pairs left apart, as a cluster may have no more documents`;
    return [`  ${name}: ${whole(count)} ${count === 1 ? "cluster" : "clusters"}, the largest of ${whole(largest)} documents${apart}\n`];
  });
}

function truthText({ report }: ToldSource): string {
  const rows = judgeTruths(report).map(({ step, planted, dropped, right, precision, recall }) => {
    const rate = (value: number) => (Number.isNaN(value) ? "" : value.toFixed(4));
    return [step, whole(planted), whole(dropped), whole(right), rate(precision), rate(recall)];
  });
  const { documents, example } = report.strayTruths;
  const stray =
    documents === 0 ? "" : `  stray truths, which no step of the source can make true: ${whole(documents)}, such as "${example}"\n`;
  return rows.length === 0 ? stray : stray + table([["planted truths", "planted", "dropped", "rightly", "precision", "recall"], ...rows]);
}

function whole(value: number): string {
  return value.toLocaleString("en-US");
}

function share(part: number, all: number): string {
  return all === 0 ? "" : `${((100 * part) / all).toFixed(1)} %`;
}
