// Matching in linear time with the meaning that backtracking has: a scan from the text's end tells for every position from which states a match can
// begin, so that the walk from its beginning always takes the first way on that leads to a match, and never goes back.
import { fail } from "../base/index.ts";
import type { Alphabet } from "./alphabet.ts";
import { type Automaton, compile } from "./compile.ts";
import { type Live, type Mark, matched, Scan, unknown } from "./scan.ts";

/** Long texts are scanned in stretches of so many UTF-16 units, so that what is kept of a text is bounded. */
const stretch = 4096;

/** A match from UTF-16 unit `start` up to `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A pattern in Oniguruma's syntax, as tokenizer.json has it, with Oniguruma's meaning: the first match that backtracking finds, in linear time. */
export class Regex {
  readonly source: string;
  readonly #automaton: Automaton;
  readonly #scan: Scan;
  readonly #behinds: readonly Scan[];

  /** @throws PatternError naming the place of what is not well-formed, too large or not supported */
  constructor(source: string) {
    this.source = source;
    this.#automaton = compile(source);
    this.#scan = new Scan(this.#automaton, false);
    this.#behinds = this.#automaton.behinds.map((behind) => new Scan(behind, true));
  }

  /** All matches in order, as Oniguruma's users walk over a text: an empty match where another ended does not count. */
  *matches(text: string): Generator<Span> {
    const walk = new Walk(text, this.#automaton, this.#scan, behindsOf(text, this.#automaton.alphabet, this.#behinds));
    let last = -1;
    for (let at = walk.find(0); at <= text.length; ) {
      const end = walk.endOf(at);
      if (end > at || end !== last) yield { start: at, end };
      // An empty match that follows another is passed over, together with the character behind it.
      at = walk.find(end === at && end === last ? at + widthAt(text, at) : end);
      last = end;
    }
  }
}

/** UTF-16 units of the character at a position, at least 1. */
function widthAt(text: string, at: number): number {
  return (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
}

/** The position of the character in front. */
function before(text: string, at: number): number {
  if (at < 2) return at - 1;
  const low = text.charCodeAt(at - 1);
  const isPair = low >= 0xdc00 && low <= 0xdfff && (text.codePointAt(at - 2) ?? 0) > 0xffff;
  return isPair ? at - 2 : at - 1;
}

function classAt(text: string, at: number, alphabet: Alphabet): number {
  const unit = text.charCodeAt(at);
  if (unit < 0xd800 || unit > 0xdbff) return alphabet.units[unit] ?? 0;
  const point = text.codePointAt(at) ?? 0;
  return point > 0xffff ? alphabet.classOf(point) : (alphabet.units[unit] ?? 0);
}

/** Which look-behinds hold at every position, a bit for each. */
function behindsOf(text: string, alphabet: Alphabet, scans: readonly Scan[]): Uint8Array | undefined {
  if (scans.length === 0) return undefined;
  const bits = new Uint8Array(text.length + 1);
  scans.forEach((scan, bit) => {
    let open = scan.end;
    for (let at = 0; at <= text.length; at += widthAt(text, at)) {
      open = scan.checked(open);
      const move = scan.move(open, at === text.length ? scan.edge : classAt(text, at, alphabet));
      if (move.live.starts) bits[at] = (bits[at] ?? 0) | (1 << bit);
      open = move.open;
    }
  });
  return bits;
}

/** One text: the scan's results for the stretch where the walk is, and the walk. */
class Walk {
  readonly #text: string;
  readonly #automaton: Automaton;
  readonly #scan: Scan;
  readonly #behinds: Uint8Array | undefined;
  /** Ends of stretches and what is known there, from the text's end to its beginning. */
  readonly #marks: PlacedMark[];
  readonly #lives: (Live | undefined)[] = [];
  #from = 0;
  #to = -1;

  constructor(text: string, automaton: Automaton, scan: Scan, behinds: Uint8Array | undefined) {
    this.#text = text;
    this.#automaton = automaton;
    this.#scan = scan;
    this.#behinds = behinds;
    this.#marks = this.#allMarks();
  }

  /** Where a match begins, from a position on; behind the text where none does. */
  find(from: number): number {
    let at = from;
    while (at <= this.#text.length && !this.#live(at).starts) at += widthAt(this.#text, at);
    return at;
  }

  /** The end of the match that begins at a position. */
  endOf(start: number): number {
    let at = start;
    let state = this.#automaton.start;
    for (;;) {
      const live = this.#live(at);
      let read = live.reads[state] ?? unknown;
      if (read === unknown) {
        read = this.#read(live, state);
        live.reads[state] = read;
      }
      if (read === matched) return at;
      const reading = this.#automaton.states[read];
      if (reading?.type === "read") state = reading.next;
      at += widthAt(this.#text, at);
    }
  }

  /** The state that reads next on the way that backtracking would find, or `matched`. */
  #read(live: Live, from: number): number {
    for (let at = from; ; ) {
      const state = this.#automaton.states[at];
      switch (state?.type) {
        case "split":
          at = live.states[state.first] === 1 ? state.first : state.second;
          break;
        case "edge":
        case "ahead":
        case "behind":
          at = state.next;
          break;
        case "match":
          return matched;
        default:
          return at;
      }
    }
  }

  #live(at: number): Live {
    if (at > this.#to || at < this.#from) this.#fill(at);
    return this.#lives[at - this.#from] ?? fail("regex", `no position ${at} was scanned`);
  }

  #symbol(at: number): number {
    const front = at === 0 ? this.#scan.edge : classAt(this.#text, before(this.#text, at), this.#automaton.alphabet);
    return this.#behinds === undefined ? front : front + (this.#scan.edge + 1) * (this.#behinds[at] ?? 0);
  }

  /** Scans the whole text once where it is longer than a stretch, and keeps what is known between stretches. */
  #allMarks(): PlacedMark[] {
    let at = this.#text.length;
    let open = this.#scan.end;
    const marks: PlacedMark[] = [{ at, mark: { reading: [], behind: this.#scan.edge } }];
    for (let next = at - stretch; at > stretch; ) {
      open = this.#scan.move(this.#scan.checked(open), this.#symbol(at)).open;
      at = before(this.#text, at);
      if (at > next) continue;
      marks.push({ at, mark: { reading: open.reading, behind: open.behind } });
      next = at - stretch;
    }
    return marks;
  }

  /** Scans a stretch again, for the walk: from the mark behind a position down to the position. */
  #fill(from: number): void {
    while (this.#marks.length > 1 && (this.#marks.at(-1)?.at ?? 0) <= from) this.#marks.pop();
    const { at: to, mark } = this.#marks.at(-1) ?? { at: this.#text.length, mark: this.#scan.end };
    let open = this.#scan.resume(mark);
    for (let at = to; at >= from; at = before(this.#text, at)) {
      const move = this.#scan.move(open, this.#symbol(at));
      this.#lives[at - from] = move.live;
      open = move.open;
    }
    this.#from = from;
    this.#to = to;
  }
}

interface PlacedMark {
  readonly at: number;
  readonly mark: Mark;
}
