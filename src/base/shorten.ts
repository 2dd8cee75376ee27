// Messages quote what stands in files and flags, which may be of any length and hold anything: here they become short and plain.

/** Characters that a name or value, and a line, may have before its middle is left out. */
const [longestWord, longestLine] = [300, 1200];
const mostLines = 20;

/** A message with the middle of overlong words and lines left out, the rest of overlong lists too, and what a terminal would act on escaped. */
export function shorten(message: string): string {
  const lines = message.split("\n");
  const kept = lines
    .slice(0, mostLines)
    .map((line) => cut(line.replace(/\S{301,}/g, cutWord), longestLine).replace(/[^\P{Cc}\t]/gu, escaped));
  if (lines.length > mostLines) kept.push(`… and ${(lines.length - mostLines).toLocaleString("en-US")} lines more`);
  return kept.join("\n");
}

function cutWord(word: string): string {
  return cut(word, longestWord);
}

/** Beginning and end stay, because a rule often stands at the end; no character is cut in half. */
function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  const head = text.slice(0, Math.floor(most * 0.55)).replace(/[\ud800-\udbff]$/, "");
  const tail = text.slice(-Math.floor(most * 0.35)).replace(/^[\udc00-\udfff]/, "");
  return `${head}… (${text.length.toLocaleString("en-US")} characters) …${tail}`;
}

function escaped(control: string): string {
  return `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
