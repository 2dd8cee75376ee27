// Texts that know where each of their characters came from. Every operation of a template on texts is one of these, so that origin is exact by
// construction: a part of a text keeps its origins, joined texts keep theirs, what a template puts in between is the template's own.

/** Where characters came from. Absent: they are the template's own, or a special piece's spelling that it was given. */
export type Origin =
  | { readonly from: "message"; readonly message: number }
  | { readonly from: "tools" }
  | { readonly from: "variables" }
  /** It has several of these origins, and an operation could not tell which character is whose: such text is encoded as text and never trained on. */
  | { readonly from: "mixed" };

/** A run of characters with one origin. */
export interface Segment {
  readonly text: string;
  readonly origin?: Origin;
  /** Whether it was written inside a `{% generation %}` block. */
  readonly generated?: true;
}

/** A text in segments, each of which says where its characters came from. */
export class Text {
  readonly segments: readonly Segment[];
  readonly text: string;
  /** Whether the filter `safe` made it, as Jinja's Markup: what is added to it by + is escaped for HTML, in templates of chats too. */
  readonly isMarkup: boolean;

  constructor(segments: readonly Segment[], isMarkup = false) {
    this.isMarkup = isMarkup;
    this.segments = segments.some(({ text }) => text === "") ? segments.filter(({ text }) => text !== "") : segments;
    let text = "";
    for (const segment of this.segments) text += segment.text;
    this.text = text;
  }

  static of(text: string, origin?: Origin): Text {
    return new Text([origin === undefined ? { text } : { text, origin }]);
  }

  /** Joins neighbours of one origin, so that a text of many small pieces stays small. */
  static join(texts: readonly Text[], between?: Text): Text {
    const all: Segment[] = [];
    for (const [i, { segments }] of texts.entries()) {
      if (i > 0 && between !== undefined) all.push(...between.segments);
      for (const segment of segments) all.push(segment);
    }
    return new Text(merged(all));
  }

  /** A stretch, in UTF-16 units. */
  slice(from: number, to: number = this.text.length): Text {
    if (from <= 0 && to >= this.text.length) return this;
    const parts: Segment[] = [];
    let at = 0;
    for (const segment of this.segments) {
      const start = Math.max(from - at, 0);
      const end = Math.min(to - at, segment.text.length);
      if (end > start) parts.push({ ...segment, text: segment.text.slice(start, end) });
      at += segment.text.length;
    }
    return new Text(parts, this.isMarkup);
  }

  /**
   * Changes characters by a function of texts. Where the outcome for each segment alone adds up to the outcome for the whole, segments keep their
   * origins; where it does not (a Greek word's last sigma in another segment), the whole has a mixed one.
   */
  map(change: (text: string) => string): Text {
    const whole = change(this.text);
    const parts = this.segments.map((segment) => ({ ...segment, text: change(segment.text) }));
    if (parts.map(({ text }) => text).join("") === whole) return new Text(parts, this.isMarkup);
    return new Text([{ text: whole, origin: { from: "mixed" } }], this.isMarkup);
  }

  /** Escaped for HTML, and marked so. */
  markup(): Text {
    if (this.isMarkup) return this;
    const escaped = this.map((text) => text.replace(/[&<>'"]/g, (char) => entities[char]!));
    return new Text(escaped.segments, true);
  }

  /** The same characters, written inside a `{% generation %}` block. */
  generated(): Text {
    return new Text(this.segments.map((segment) => ({ ...segment, generated: true })));
  }
}

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", "'": "&#39;", '"': "&#34;" };

function merged(segments: readonly Segment[]): Segment[] {
  const out: { text: string; origin?: Origin; generated?: true }[] = [];
  for (const segment of segments) {
    const last = out.at(-1);
    if (last !== undefined && isSameOrigin(last.origin, segment.origin) && last.generated === segment.generated) last.text += segment.text;
    else out.push({ ...segment });
  }
  return out;
}

function isSameOrigin(a: Origin | undefined, b: Origin | undefined): boolean {
  if (a === b || a === undefined || b === undefined) return a === b;
  return a.from === b.from && (a.from !== "message" || b.from !== "message" || a.message === b.message);
}
