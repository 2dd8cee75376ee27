// A rendered chat as the ids of one text, in which pieces are found only where whoever wrote the text may write them.
import { check, type Sliced, wholly } from "../base/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import type { Marks } from "./marks.ts";
import type { Origin, Segment } from "./text.ts";

/** What the encoder of a rendered chat needs to know: which pieces may stand where, and what goes in front. */
export interface Writing {
  readonly marks: Marks;
  /** Whether what the tokenizer puts in front of a text goes there, once. */
  readonly bos: boolean;
}

/** A rendered chat as ids. */
export interface Encoded {
  readonly ids: Uint32Array;
  readonly anchors: readonly Anchor[];
}

/** A special piece in a text. What stands from there on is encoded as if the text began there. */
interface Anchor {
  readonly place: number;
  readonly index: number;
}

/** What is known of a chat's ids before anchors are sought. */
interface Found {
  readonly text: string;
  readonly ids: Uint32Array;
  /** Where the longest special piece ends, by where it begins. */
  readonly found: ReadonlyMap<number, number>;
}

/** The chat's ids with their anchors. */
export function encodeSegments(tokenizer: Tokenizer, segments: readonly Segment[], writing: Writing): Encoded {
  const { text, ids, found } = wholly(idsOf(tokenizer, segments, writing));
  const anchors = anchorsOf(tokenizer, text, ids, found);
  const whole = withBefore(tokenizer, ids, writing);
  const more = whole.length - ids.length;
  return { ids: whole, anchors: anchors.map(({ place, index }) => ({ place, index: index + more })) };
}

/** The chat's ids alone, in slices. */
export function* segmentIds(tokenizer: Tokenizer, segments: readonly Segment[], writing: Writing): Sliced<Uint32Array> {
  return withBefore(tokenizer, (yield* idsOf(tokenizer, segments, writing)).ids, writing);
}

function withBefore({ model }: Tokenizer, ids: Uint32Array, { bos }: Writing): Uint32Array {
  const before = bos ? (model.template?.before ?? []) : [];
  if (before.every((id, i) => ids[i] === id)) return ids;
  const whole = new Uint32Array(before.length + ids.length);
  whole.set(before);
  whole.set(ids, before.length);
  return whole;
}

/** Special pieces are found in the template's own text, marks where they may be written. */
function* idsOf(tokenizer: Tokenizer, segments: readonly Segment[], { marks }: Writing): Sliced<Found> {
  const ends = stretches(segments, (origin) => origin === undefined);
  const markEnds = stretches(segments, (origin) => origin === undefined || marks.mayWrite(origin));
  const text = segments.map((segment) => segment.text).join("");
  const found = new Map<number, number>();
  yield;
  const ids = yield* tokenizer.encodeSliced(text, {
    parseSpecial(start, end, isSpecial) {
      if (!isSpecial) return end <= (markEnds[start] ?? 0) || !marks.has(text.slice(start, end));
      if (end > (ends[start] ?? 0)) return false;
      found.set(start, end);
      return true;
    },
  });
  yield;
  yield* checkSpecials(tokenizer, segments, ids);
  return { text, ids, found };
}

/** None where the ids do not show which of the pieces were taken. Pieces that are sought in normalised text are none: they may get a space in front. */
function anchorsOf(tokenizer: Tokenizer, text: string, ids: Uint32Array, found: ReadonlyMap<number, number>): Anchor[] {
  const { matching = [] } = tokenizer.model;
  const others = new Set(matching.filter(({ normalized, verbatim }) => normalized || verbatim).map(({ id }) => id));
  const isAnchor = (id: number) => tokenizer.isSpecial(id) && id !== tokenizer.unkId && !others.has(id);
  const sought = [...found].flatMap(([place, end]) => {
    const id = tokenizer.pieceToId(text.slice(place, end));
    return id !== undefined && isAnchor(id) ? [{ place, id }] : [];
  });
  const taken = [...ids.entries()].filter(([, id]) => isAnchor(id));
  const isSame = sought.length === taken.length && sought.every(({ id }, i) => id === taken[i]?.[1]);
  return isSame ? taken.map(([index], i) => ({ place: sought[i]?.place ?? 0, index })) : [];
}

/**
 * Holds the special ids against those of the template's own text alone: nothing else may make one, and none may be lost, as it would be where a
 * tokenizer seeks special pieces behind a normaliser that moves places.
 */
function* checkSpecials(tokenizer: Tokenizer, segments: readonly Segment[], ids: Uint32Array): Sliced<void> {
  const own = [""];
  for (const { text, origin } of segments)
    if (origin === undefined) own[own.length - 1] += text;
    else own.push("");
  const expected: number[] = [];
  for (const text of own) expected.push(...(yield* specialsIn(tokenizer, tokenizer.encode(text, { parseSpecial: true }))));
  const found = yield* specialsIn(tokenizer, ids);
  const isSame = found.length === expected.length && found.every((id, i) => id === expected[i]);
  check(
    isSame,
    "chat",
    () =>
      `the template writes ${expected.length} special pieces and the text has ${found.length}: this tokenizer seeks them behind its normaliser, and cannot tell a message's from the template's`,
  );
}

/** Ids that are looked at between two yields. */
const sliceIds = 1 << 15;

function* specialsIn(tokenizer: Tokenizer, ids: Uint32Array): Sliced<number[]> {
  const found: number[] = [];
  for (const [i, id] of ids.entries()) {
    if (tokenizer.isSpecial(id) && id !== tokenizer.unkId) found.push(id);
    if (i % sliceIds === sliceIds - 1) yield;
  }
  return found;
}

/** Where the stretch of text of certain origins ends that a character stands in, by character; 0 for those of other origins. */
function stretches(segments: readonly Segment[], isIn: (origin: Origin | undefined) => boolean): Uint32Array {
  const ends = new Uint32Array(segments.reduce((size, { text }) => size + text.length, 0));
  let end = ends.length;
  let stretchEnd = end;
  for (const { text, origin } of segments.toReversed()) {
    const start = end - text.length;
    if (isIn(origin)) ends.fill(stretchEnd, start, end);
    else stretchEnd = start;
    end = start;
  }
  return ends;
}
