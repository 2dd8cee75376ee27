// What the commands of cria data say of prepared data, and what they share.
import { UsageError } from "../base/index.ts";
import type { Manifest } from "../corpus/index.ts";

/** The only argument of a command. @throws UsageError where there is none, or more than one */
export function onlyArgument(args: readonly string[], where: string, what: string): string {
  const [first, second] = args;
  if (first === undefined) throw new UsageError(where, `${what} is missing: see cria ${where} --help`);
  if (second !== undefined) throw new UsageError(where, `"${second}" is one too many: name one ${what}`);
  return first;
}

/** A folder of prepared data as one JSON document. @param more keys beside those of the manifest */
export function manifestJson(folder: string, manifest: Manifest, more: object = {}): string {
  return `${JSON.stringify({ data: folder, ...manifest, ...more }, null, 2)}\n`;
}

/** A folder of prepared data as a table for people. */
export function manifestText(folder: string, { sources, heldOut, vocabulary }: Manifest): string {
  const weights = sources.reduce((sum, { weight }) => sum + weight, 0);
  const rows = [
    ...sources.map((source) => [source.name, `${((100 * source.weight) / weights).toFixed(1)} %`, ...counts(source)]),
    ...(heldOut ? [["held-out", "", ...counts(heldOut)]] : []),
  ];
  const counted = table([["source", "share", "documents", "bytes", "tokens", "bytes/token"], ...rows]);
  return `${folder}: tokens of a vocabulary of ${vocabulary.size}\n${counted}${piecesNote(sources)}`;
}

/** What counts as a document where documents were cut, so that nobody takes the count for that of what was read. */
function piecesNote(sources: Manifest["sources"]): string {
  const cut = sources.flatMap(({ name, split }) => (split?.by === "stretches" ? [name] : []));
  if (cut.length === 0) return "";
  return `  documents of ${cut.join(", ")} are counted in pieces: stretches are held out of them, and what is in front of one and behind it counts as two\n`;
}

function counts({ documents, bytes, tokens }: Pick<Manifest["sources"][number], "documents" | "bytes" | "tokens">): string[] {
  const whole = [documents, bytes, tokens].map((value) => value.toLocaleString("en-US"));
  return [...whole, tokens === 0 ? "" : (bytes / tokens).toFixed(2)];
}

/** Names to the left, numbers to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const cell = (text: string, column: number) => (column === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[column] ?? 0));
  return rows.map((row) => `  ${row.map(cell).join("  ").trimEnd()}\n`).join("");
}
