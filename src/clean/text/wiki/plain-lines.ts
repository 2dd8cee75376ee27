// Lines of wikitext as lines of text: marks of headings and lists go, and so do headings that nothing is left under.

const listMark = /^(?:[*#:;]+\s*)+/;

/** @param keepsEmpty whether a heading stays where no text follows before the next one of its level or the end */
export function plainLines(text: string, keepsEmpty: boolean): string {
  const lines: { text: string; level: number }[] = [];
  for (const raw of text.split("\n")) {
    const heading = headingOf(raw);
    if (heading === undefined) {
      const line = tidy(raw.replace(/^-{4,}/, "").replace(listMark, ""));
      if (line !== "" || (lines.length > 0 && lines.at(-1)?.text !== "")) lines.push({ text: line, level: 0 });
      continue;
    }
    if (!keepsEmpty) dropEmpty(lines, heading.level);
    lines.push({ text: tidy(heading.title), level: heading.level });
  }
  if (!keepsEmpty) dropEmpty(lines, 0);
  return lines
    .map((line) => line.text)
    .join("\n")
    .trim();
}

/** The heading that a line is, between one to six equals signs on each side; undefined for other lines. */
function headingOf(raw: string): { readonly title: string; readonly level: number } | undefined {
  if (!raw.startsWith("=")) return undefined;
  const line = raw.trimEnd();
  let level = 0;
  while (level < 6 && 2 * level + 2 <= line.length && line[level] === "=" && line.at(-1 - level) === "=") level++;
  return level === 0 ? undefined : { title: line.slice(level, line.length - level).trim(), level };
}

/** Headings at the end that are not above the next one have no text of their own. */
function dropEmpty(lines: { readonly text: string; readonly level: number }[], level: number): void {
  for (let i = lines.length - 1; i >= 0; i--) {
    const line = lines[i]!;
    if (line.level === 0 && line.text !== "") return;
    if (line.level > 0 && line.level < level) return;
    if (line.level > 0) lines.splice(i, lines.length - i, ...(lines[i - 1]?.text === "" ? [] : [{ text: "", level: 0 }]));
  }
}

/** Takes away brackets that held a template alone, and spaces that stood around what went. */
function tidy(line: string): string {
  return line
    .replace(/\(\s*(?:[,;]\s*)?\)/g, "")
    .replace(/[ \t\u00a0]{2,}/g, " ")
    .replace(/ ([,.])(?=\s|$)/g, "$1")
    .trim();
}
