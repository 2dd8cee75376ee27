// What cleaning did, for people: each step of each source with what went in and came out, the reasons, and what was not read.
import type { CleanedTexts } from "../pipeline/index.ts";
import { table } from "./data-text.ts";

/** A table per source; nothing where nothing was cleaned. */
export function cleaningText(cleaned: readonly CleanedTexts[]): string {
  return cleaned.map(sourceText).join("");
}

function sourceText({ name, report: { read, kept, steps, notes } }: CleanedTexts): string {
  const share = (bytes: number) => (read.bytes === 0 ? "" : `${((100 * bytes) / read.bytes).toFixed(1)} %`);
  const rows = steps.map((step) => [
    step.name,
    whole(step.out.documents),
    whole(step.out.bytes),
    share(step.out.bytes),
    whole(step.rewritten),
  ]);
  const reasons = steps.flatMap((step) =>
    Object.entries(step.reasons).map(([reason, { documents }]) => ({ step: step.name, reason, documents })),
  );
  const listed = reasons
    .sort((a, b) => b.documents - a.documents)
    .slice(0, 8)
    .map(({ step, reason, documents }) => `  ${whole(documents)} dropped by ${step}: ${reason}\n`);
  const noted = notes.map(({ kind, what, count }) => `  ${whole(count)} ${kind} while reading: ${what}\n`).sort();
  const head = `${name}: ${whole(kept.documents)} of ${whole(read.documents)} documents stay, ${share(kept.bytes)} of the text\n`;
  const start = ["read", whole(read.documents), whole(read.bytes), share(read.bytes), ""];
  return `${head}${table([["after", "documents", "bytes", "of the text", "rewritten"], start, ...rows])}${noted.join("")}${listed.join("")}`;
}

function whole(value: number): string {
  return value.toLocaleString("en-US");
}
