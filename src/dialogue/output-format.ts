// How a model writes what is not plain content: its reasoning, and its calls of tools.

/** Marks around a model's reasoning. */
export interface ReasoningFormat {
  readonly open: string;
  readonly close: string;
}

/** What stands between the texts of a call that every call has. */
export type CallSlot = "name" | "arguments" | "id";

/**
 * The calls of a message: `before`, a call, then any number of times `between` and a call, then `after`. A call is its slots with `within` between
 * them; the name comes first. White space in these texts may be more or less.
 */
export interface CallFormat {
  /** The family, or "found" where the template alone tells it. */
  readonly name: string;
  /** Begins with {@link marker}, unless that is undefined. */
  readonly before: string;
  readonly slots: readonly CallSlot[];
  /** One text fewer than slots. */
  readonly within: readonly string[];
  /** Other texts that a model may write in place of {@link before}. */
  readonly otherBegins?: readonly string[] | undefined;
  /** Undefined where a message has one call at most. */
  readonly between: string | undefined;
  readonly after: string;
  /**
   * A text that stands nowhere in content: where it is complete, calls have begun. Undefined where calls are told by their own form, and then
   * they are a message's first and only text.
   */
  readonly marker: string | undefined;
  /** A text that may stand in front of calls without a marker. */
  readonly prefix?: string | undefined;
  /** How the arguments are written, an object of JSON where it is absent. */
  readonly tags?: ArgumentTags | undefined;
}

/** What may stand in front of the first call; white space may follow a marker that is a tag even if the template writes none. */
export function beginsOf({ before, otherBegins = [], marker }: CallFormat): readonly string[] {
  const isTag = marker !== undefined && /[\]>]$/.test(marker);
  return [isTag ? `${marker} ${before.slice(marker.length).trimStart()}` : before, ...otherBegins];
}

/** Arguments that are written one by one: `open` key `middle` value `close`. Strings stand there as they are, other values as JSON. */
export interface ArgumentTags {
  readonly open: string;
  readonly middle: string;
  readonly close: string;
}
