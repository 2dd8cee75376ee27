// Runs the automaton of a grammar over bytes. What may come next is a state: a set of places, each with the frames of rules that it lies in. Frames of
// one rule that begin at the same byte are one frame with several ways back, so that no text needs more than polynomial work (Tomita's graph-structured
// stacks), and equal states are one object, whose steps are remembered: a lazily determinised automaton.
import { check } from "../base/index.ts";
import type { Automaton, Position } from "./automaton.ts";
import { popLeast, pushNumber } from "./number-heap.ts";

/**
 * A place, how often the loop around it has turned, and the frame of its rule. A count of −1 − n is of a loop without a limit that has turned at least
 * n times, up to its least: {@link unlimited}.
 */
export interface Place {
  readonly id: number;
  readonly position: number;
  readonly count: number;
  readonly frame: Frame;
}

/** Where a rule was called from: places to go on when it ends. */
export class Frame {
  readonly id: number;
  readonly returns: readonly Place[];
  /** Whether the text may end, or what is beyond is not known, when the rule ends. */
  readonly isBottom: boolean;
  /** The state behind this frame's rule, once it was asked for. */
  behind: State | undefined;
  /** Places in this frame by position and count, each one object. */
  readonly places = new Map<number, Place>();

  constructor(id: number, returns: readonly Place[], isBottom: boolean) {
    this.id = id;
    this.returns = returns;
    this.isBottom = isBottom;
  }
}

/** Everything that may come next. */
export class State {
  /** Places that read a byte. */
  readonly places: readonly Place[];
  /** Whether the text may end here; of a state inside of a rule alone, whether the rule may. */
  readonly isEnd: boolean;
  /** States by class of bytes: null where no text goes on with it, undefined where nobody asked yet. */
  readonly next: (State | null | undefined)[];

  constructor(places: readonly Place[], isEnd: boolean, classes: number) {
    this.places = places;
    this.isEnd = isEnd;
    this.next = new Array<State | null | undefined>(classes).fill(undefined);
  }
}

/** A count in a loop as it would be if the loop had no limit. */
export function unlimited(count: number, least: number): number {
  return -1 - Math.min(count, least);
}

/** The most places at which a text may go on, those included that need no byte. */
const mostPlaces = 20_000;

/** States and frames that are remembered at most: where there are more, all are forgotten, and those that are needed are made anew. */
const mostRemembered = 50_000;

/** The states of a grammar. Not for use from several threads. */
export class Machine {
  readonly automaton: Automaton;
  readonly #where: string;
  #states = new Map<string, State>();
  #frames = new Map<string, Frame>();
  #count = 0;
  readonly #bottom: Frame;
  /** Positions that are no choice, within reach of a position without a byte: found when they are first asked for. */
  readonly #choices: (readonly number[] | undefined)[] = [];

  constructor(automaton: Automaton, where: string) {
    this.automaton = automaton;
    this.#where = where;
    this.#bottom = new Frame(this.#count++, [], true);
  }

  /** The state before the first byte. */
  start(): State {
    const closing = this.#closing();
    closing.enterRoot();
    return this.#state(closing.places, closing.isEnd);
  }

  /** The state after a byte; null where no valid text goes on with it. @throws CriaError where the grammar is too ambiguous */
  step(state: State, byte: number): State | null {
    const kind = this.automaton.classOf[byte]!;
    const known = state.next[kind];
    return known === undefined ? this.stepClass(state, kind) : known;
  }

  /** {@link step}, for a class of bytes where {@link State.next} does not know yet. */
  stepClass(state: State, kind: number): State | null {
    const { positions, sets } = this.automaton;
    const closing = this.#closing();
    for (const { position, count, frame } of state.places) {
      const read = positions[position]!;
      if (read.type === "read" && sets[read.set]![kind] === 1) closing.add(read.next, count, frame);
    }
    closing.close();
    const isDead = closing.places.length === 0 && !closing.isEnd;
    const next = isDead ? null : this.#state(closing.places, closing.isEnd);
    state.next[kind] = next;
    return next;
  }

  /** The state behind the rule of a frame. */
  behind(frame: Frame): State {
    if (frame.behind !== undefined) return frame.behind;
    const closing = this.#closing();
    for (const back of frame.returns) closing.add(back.position, back.count, back.frame);
    closing.close();
    frame.behind = this.#state(closing.places, closing.isEnd || frame.isBottom);
    return frame.behind;
  }

  /** A state of these places alone. */
  stateOf(places: readonly Place[]): State {
    return this.#state([...places], false);
  }

  /** The place in a frame of which nothing is known. */
  placeInside({ position, count }: Pick<Place, "position" | "count">): Place {
    return this.place(position, count, this.#bottom);
  }

  /**
   * The state itself; or, where too many are remembered, an equal one that remembers no steps, after all others were forgotten. A text asks between two
   * tokens, so that memory stays bounded however long it becomes.
   */
  renewed(state: State): State {
    if (this.#states.size + this.#frames.size < mostRemembered) return state;
    this.#states = new Map();
    this.#frames = new Map();
    this.#bottom.places.clear();
    return new State(state.places, state.isEnd, this.automaton.classes);
  }

  place(position: number, count: number, frame: Frame): Place {
    // Counts are mostly 0, and small integers are the fastest keys.
    const key = count === 0 ? position : (count + countOffset) * positionLimit + position;
    let place = frame.places.get(key);
    if (place === undefined) {
      place = { id: this.#count++, position, count, frame };
      frame.places.set(key, place);
    }
    return place;
  }

  /** The frame of a rule that was called from these places. */
  frame(returns: readonly Place[], isBottom: boolean): Frame {
    if (isBottom && returns.length === 0) return this.#bottom;
    const key = keyOf(returns, isBottom);
    const known = this.#frames.get(key) ?? new Frame(this.#count++, returns, isBottom);
    this.#frames.set(key, known);
    return known;
  }

  /** Positions that are no choice, within reach of a position without a byte, from which an end is within reach. */
  choices(position: number): readonly number[] {
    const known = this.#choices[position];
    if (known !== undefined) return known;
    const { positions, isAlive } = this.automaton;
    const seen = new Set([position]);
    const found: number[] = [];
    for (const at of seen) {
      const one = positions[at]!;
      if (isAlive[at] === 0) continue;
      if (one.type === "split") for (const to of one.to) seen.add(to);
      else found.push(at);
    }
    this.#choices[position] = found;
    return found;
  }

  #state(places: Place[], isEnd: boolean): State {
    const key = keyOf(places, isEnd);
    const known = this.#states.get(key) ?? new State(places, isEnd, this.automaton.classes);
    this.#states.set(key, known);
    return known;
  }

  #closing(): Closing {
    return new Closing(this, this.#where);
  }
}

/** Limits of positions and of counts in either direction, for keys of places. */
const positionLimit = 2 ** 18;
const countOffset = 2 ** 30;

/** The same text for the same places in any order: their ids, two UTF-16 units each. */
function keyOf(places: readonly Place[], isEnd: boolean): string {
  const ids = new Int32Array(places.length);
  for (let i = 0; i < ids.length; i++) ids[i] = places[i]!.id;
  const units = new Uint16Array(ids.sort().buffer);
  let key = isEnd ? "$" : "";
  for (let i = 0; i < units.length; i += mostArguments) key += String.fromCharCode(...units.subarray(i, i + mostArguments));
  return key;
}

/** Arguments of one call. */
const mostArguments = 4096;

interface Callers {
  readonly returns: Set<Place>;
  isBottom: boolean;
}

/** Finds all places that read a byte and are within reach of given ones without a byte. */
class Closing {
  readonly places: Place[] = [];
  isEnd = false;
  readonly #machine: Machine;
  readonly #where: string;
  readonly #seen = new Set<Place>();
  readonly #open: Place[] = [];
  readonly #callers = new Map<number, Callers>();
  /** Ranks of rules that are called and not yet entered, as a heap. */
  readonly #waiting: number[] = [];

  constructor(machine: Machine, where: string) {
    this.#machine = machine;
    this.#where = where;
  }

  add(position: number, count: number, frame: Frame): void {
    for (const choice of this.#machine.choices(position)) {
      const place = this.#machine.place(choice, count, frame);
      if (this.#seen.has(place)) continue;
      this.#seen.add(place);
      this.#open.push(place);
    }
    check(
      this.#seen.size <= mostPlaces,
      this.#where,
      () => `the text so far can go on at more than ${mostPlaces} places of the grammar, which is the limit: make it less ambiguous`,
    );
  }

  /** Follows what needs no byte, then enters the rules that are called: those first that begin with others, so that all callers of a rule are known. */
  close(): void {
    this.#follow(true);
    this.#enter();
  }

  /** Enters the rule that the whole text is of. */
  enterRoot(): void {
    this.isEnd = this.#machine.automaton.isNullable[0]!;
    this.#callersOf(0).isBottom = true;
    this.#enter();
  }

  #enter(): void {
    const { starts, byRank } = this.#machine.automaton;
    for (let rank = popLeast(this.#waiting); rank !== undefined; rank = popLeast(this.#waiting)) {
      const rule = byRank[rank]!;
      const { returns, isBottom } = this.#callersOf(rule);
      this.add(starts[rule]!, 0, this.#machine.frame([...returns], isBottom));
      this.#follow(false);
    }
  }

  /** @param leaves whether rules may end; those that were entered here may not, because whoever calls a rule goes on behind its empty text at once */
  #follow(leaves: boolean): void {
    const { positions, isNullable } = this.#machine.automaton;
    for (let place = this.#open.pop(); place !== undefined; place = this.#open.pop()) {
      const { count, frame } = place;
      const position = positions[place.position]!;
      switch (position.type) {
        case "read":
          this.places.push(place);
          break;
        case "split":
          break; // a place is behind all choices
        case "call":
          if (isNullable[position.rule]) this.add(position.next, count, frame);
          this.#called(position.rule, this.#machine.place(position.next, count, frame));
          break;
        case "loop":
          if ((count < 0 ? -1 - count : count) >= position.least) this.add(position.next, 0, frame);
          if (count < position.most) this.add(position.body, count, frame);
          break;
        case "turn":
          this.add(position.loop, this.#turned(positions[position.loop]!, count), frame);
          break;
        case "end":
          if (!leaves) break;
          this.isEnd ||= frame.isBottom;
          for (const back of frame.returns) this.add(back.position, back.count, back.frame);
          break;
        default:
          position satisfies never;
      }
    }
  }

  /** A count without a limit stops to grow where it has reached the least. */
  #turned(loop: Position, count: number): number {
    if (loop.type !== "loop") return count;
    if (count < 0) return unlimited(-count, loop.least);
    return loop.most === Number.POSITIVE_INFINITY ? Math.min(count + 1, loop.least) : count + 1;
  }

  /** A caller that has nothing left to do behind the rule leaves its own return to the rule, so that chains of last calls need no frames. */
  #called(rule: number, back: Place): void {
    const callers = this.#callersOf(rule);
    if (this.#machine.automaton.positions[back.position]!.type === "end") {
      callers.isBottom ||= back.frame.isBottom;
      for (const place of back.frame.returns) callers.returns.add(place);
    } else callers.returns.add(back);
  }

  #callersOf(rule: number): Callers {
    const known = this.#callers.get(rule);
    if (known !== undefined) return known;
    const callers = { returns: new Set<Place>(), isBottom: false };
    this.#callers.set(rule, callers);
    pushNumber(this.#waiting, this.#machine.automaton.ranks[rule]!);
    return callers;
  }
}
