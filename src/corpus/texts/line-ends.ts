// CRLF (Windows) and a lone CR (classic Mac) become LF.

/** Changes the line ends of a whole text. */
export function toLineFeeds(text: string): string {
  return text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text;
}

/** Changes the line ends of a stream, also where a chunk ends between CR and LF. */
export async function* streamLineFeeds(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let isOpen = false; // the last chunk ended with a CR
  for await (const chunk of chunks) {
    const text: string = isOpen ? `\r${chunk}` : chunk;
    isOpen = text.endsWith("\r");
    yield toLineFeeds(isOpen ? text.slice(0, -1) : text);
  }
  if (isOpen) yield "\n";
}
