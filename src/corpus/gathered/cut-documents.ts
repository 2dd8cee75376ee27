// Long texts become documents of a few kilobytes, so that shuffling, mixing and a held-out part are fine-grained.

/** UTF-16 units of a document: a few training contexts, and some hundred documents per book. */
export const documentSize = 8000;

/** What stands where a text is cut, the best place first: between paragraphs, lines, words. */
const separators = ["\n\n", "\n", " "] as const;

/**
 * Cuts `text` into documents of at most `size` UTF-16 units, between paragraphs where possible, else between lines or words, and only
 * inside a word where it alone is longer. Joined again they are the text, but for white space at the cuts. Never cuts a surrogate pair.
 */
export function* cutDocuments(text: string, size = documentSize): Generator<string> {
  let open = "";
  for (const part of parts(text, size, 0)) {
    if (open !== "" && open.length + part.separator.length + part.text.length > size) {
      yield open;
      open = "";
    }
    open = open === "" ? part.text : open + part.separator + part.text;
  }
  if (open.trim() !== "") yield open;
}

interface Part {
  readonly text: string;
  /** What stood before it. */
  readonly separator: string;
}

/** Parts of at most `size`, split by the first separator that gets them there. */
function* parts(text: string, size: number, level: number): Generator<Part> {
  const separator = separators[level];
  if (separator === undefined) return yield* hardParts(text, size);
  for (const part of text.split(separator)) {
    if (part.trim() === "") continue;
    if (part.length <= size) yield { text: part, separator };
    else {
      let first = true;
      for (const smaller of parts(part, size, level + 1)) {
        yield first ? { text: smaller.text, separator } : smaller;
        first = false;
      }
    }
  }
}

function* hardParts(text: string, size: number): Generator<Part> {
  for (let start = 0; start < text.length; ) {
    let end = Math.min(text.length, start + size);
    if (end < text.length && isHighSurrogate(text.charCodeAt(end - 1))) end -= end - start > 1 ? 1 : -1;
    yield { text: text.slice(start, end), separator: "" };
    start = end;
  }
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}
