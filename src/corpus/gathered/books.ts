// Project Gutenberg's plain text → flowing text: no wrapped lines, headers, emphasis marks or verse numbers.

/** Prose: a paragraph becomes one line; rhymes and other indented blocks keep theirs. */
export function cleanProse(raw: string): string {
  return paragraphs(body(raw))
    .map((lines) => (isBlock(lines) ? lines.map((line) => plain(line)).join("\n") : plain(lines.join(" "))))
    .filter((paragraph) => paragraph !== "")
    .join("\n\n");
}

/** Poems: lines stay; one that starts with four spaces is the rest of the line before it. */
export function cleanVerse(raw: string): string {
  return paragraphs(body(raw))
    .map((lines) => lines.join("\n").replace(/(\S)\n {4,}(?=\S)/g, "$1 "))
    .map((stanza) => stanza.split("\n").map(plain).join("\n"))
    .join("\n\n");
}

/** Scripture: verses lose their numbers and flow; a chapter is a paragraph. */
export function cleanScripture(raw: string): string {
  return paragraphs(body(raw))
    .map((lines) => plain(lines.join(" ")))
    .join(" ¶")
    .replace(/ ?¶?\b\d{1,3}:(\d{1,3}) /g, (_, verse: string) => (verse === "1" ? "\n\n" : " "))
    .replaceAll(" ¶", "\n\n")
    .replace(/ +/g, " ")
    .trim();
}

/** A book without the title in brackets on top and the licence that one file has kept at its end. */
function body(raw: string): string {
  const text = raw
    .replace(/\r\n?/g, "\n")
    .replaceAll("\u001a", "") // DOS's mark of a file's end
    .replace(/^\s*\[[^\]]*\]\s*\n/, "");
  const end = text.search(/^End of (?:the )?Project Gutenberg/im);
  return end < 0 ? text : text.slice(0, end);
}

/** Lines grouped by the empty lines between them. */
function paragraphs(text: string): string[][] {
  return text
    .split(/\n(?:[ \t]*\n)+/)
    .map((paragraph) => paragraph.split("\n").filter((line) => line.trim() !== ""))
    .filter((lines) => lines.length > 0);
}

/** Every line of several is indented: a rhyme, a letter's end, an inscription. */
function isBlock(lines: readonly string[]): boolean {
  return lines.length > 1 && lines.every((line) => /^[ \t]/.test(line));
}

function plain(text: string): string {
  return text
    .replace(/_([^_]+)_/g, "$1")
    .replace(/^[}{]\s*/, "")
    .replace(/[ \t]+/g, " ")
    .trim();
}
