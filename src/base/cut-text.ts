// Cuts long texts between paragraphs, lines or words; joined again the parts are the text, character for character.

/** What stands before a cut, the best kind of place first. */
const separators = ["\n\n", "\n", " "] as const;

/** Parts of at most `most` UTF-16 units, each at least half as long where the text goes on. Never cuts a surrogate pair. */
export function* cutText(text: string, most: number): Generator<string> {
  let start = 0;
  while (text.length - start > most) {
    const end = cutBefore(text, start, start + most);
    yield text.slice(start, end);
    start = end;
  }
  if (start < text.length) yield text.slice(start);
}

/** Cuts a stream in the same way; it needs memory for one part. */
export async function* cutStream(chunks: AsyncIterable<string>, most: number): AsyncGenerator<string> {
  let open = "";
  for await (const chunk of chunks) {
    open += chunk;
    while (open.length > most) {
      const end = cutBefore(open, 0, most);
      yield open.slice(0, end);
      open = open.slice(end);
    }
  }
  if (open !== "") yield open;
}

/** The index to cut at, which is above `start` and at most `end`, but for a surrogate pair that fills the part. */
function cutBefore(text: string, start: number, end: number): number {
  const half = start + Math.ceil((end - start) / 2);
  const window = text.slice(half, end);
  for (const separator of separators) {
    const at = window.lastIndexOf(separator);
    if (at >= 0) return half + at + separator.length;
  }
  const isInside = isHighSurrogate(text.charCodeAt(end - 1));
  return !isInside ? end : end - start > 1 ? end - 1 : end + 1;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}
