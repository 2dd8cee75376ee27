// The deterministic half of matching: a walk over the text against the reading direction that says for every position from which states a match
// can begin there (Frisch and Cardelli 2004, "Greedy regular expression matching"). Sets of states become states of a lazy automaton.
import type { Automaton } from "./compile.ts";
import type { Edge } from "./syntax.ts";

/** The states from which a match begins at a position. */
export interface Live {
  readonly states: Uint8Array;
  /** Whether the pattern's start is among them. */
  readonly starts: boolean;
  /** Where a walk that arrives in a state reads next, or `matched`; `unknown` until it is asked. */
  readonly reads: Int32Array;
}

/** The entry of `reads` for a state that no walk has asked for yet. */
export const unknown = -1;
/** The entry of `reads` for a state from which a match is reached without reading on. */
export const matched = -2;

/** What is known of a position before the character in front of it is read; by itself it keeps nothing else in memory. */
export interface Mark {
  /** The states that read the character behind the position and from which a match begins. */
  readonly reading: readonly number[];
  /** The class of the character behind the position, or the number of classes at the end. */
  readonly behind: number;
}

/** A mark whose moves are filled as the text asks for them. */
export interface Open extends Mark {
  readonly moves: (Move | undefined)[];
}

/** The position's states, and what is known of the next one. */
interface Move {
  readonly live: Live;
  readonly open: Open;
}

const mostKnown = 10_000;

/** The lazy automaton of one direction. It forgets what it knows where that is much, between two stretches of text. */
export class Scan {
  readonly #automaton: Automaton;
  readonly #reads: readonly number[];
  /** The symbol in front of a text's first character. */
  readonly edge: number;
  /** Symbols are classes, times the sets of look-behinds. */
  readonly #width: number;
  readonly #isBackwards: boolean;
  #opens = new Map<string, Open>();
  #lives = new Map<string, Live>();

  /** @param isBackwards whether the automaton reads from right to left, for a look-behind */
  constructor(automaton: Automaton, isBackwards: boolean) {
    this.#automaton = automaton;
    this.#isBackwards = isBackwards;
    this.edge = automaton.alphabet.size;
    this.#width = this.edge + 1;
    this.#reads = automaton.states.flatMap((state, i) => (state.type === "read" ? [i] : []));
  }

  /** How many states the lazy automaton has. */
  get size(): number {
    return this.#opens.size + this.#lives.size;
  }

  /** The state at the text's end, from where the walk begins. */
  get end(): Open {
    return this.#open([], this.edge);
  }

  /** The same state, after all others are forgotten where they are too many. */
  checked(open: Open): Open {
    return this.size < mostKnown ? open : this.resume(open);
  }

  /** The state of a mark, after all others are forgotten where they are too many. */
  resume({ reading, behind }: Mark): Open {
    if (this.size >= mostKnown) {
      this.#opens = new Map();
      this.#lives = new Map();
    }
    return this.#open(reading, behind);
  }

  /** @param symbol the class of the character in front of the position or `edge`, plus `edge + 1` times the look-behinds that hold at the position */
  move(open: Open, symbol: number): Move {
    const known = open.moves[symbol];
    if (known !== undefined) return known;
    const front = symbol % this.#width;
    const live = this.#live(open, front, Math.floor(symbol / this.#width));
    const move = { live, open: front === this.edge ? open : this.#open(this.#step(live, front), front) };
    open.moves[symbol] = move;
    return move;
  }

  #step(live: Live, front: number): number[] {
    return this.#reads.filter((read) => {
      const state = this.#automaton.states[read];
      return state?.type === "read" && state.classes[front] === 1 && live.states[state.next] === 1;
    });
  }

  #open(reading: readonly number[], behind: number): Open {
    const key = String.fromCharCode(behind, ...reading);
    const known = this.#opens.get(key);
    if (known !== undefined) return known;
    const open: Open = { reading, behind, moves: new Array(this.#width) };
    this.#opens.set(key, open);
    return open;
  }

  #live(open: Open, front: number, behinds: number): Live {
    const { states, order, start } = this.#automaton;
    const found = new Uint8Array(states.length);
    for (const read of open.reading) found[read] = 1;
    for (const i of order) if (this.#holds(i, found, front, open.behind, behinds)) found[i] = 1;
    const key = String.fromCharCode(...order.filter((i) => found[i] === 1));
    const known = this.#lives.get(key);
    if (known !== undefined) return known;
    const live: Live = { states: found, starts: found[start] === 1, reads: new Int32Array(states.length).fill(unknown) };
    this.#lives.set(key, live);
    return live;
  }

  #holds(i: number, found: Uint8Array, front: number, behind: number, behinds: number): boolean {
    const state = this.#automaton.states[i];
    switch (state?.type) {
      case "match":
        return true;
      case "split":
        return found[state.first] === 1 || found[state.second] === 1;
      case "edge":
        return (
          found[state.next] === 1 && (this.#isBackwards ? this.#isEdge(state.edge, behind, front) : this.#isEdge(state.edge, front, behind))
        );
      case "ahead":
        return found[state.next] === 1 && (found[state.start] === 1) !== state.isNegative;
      case "behind":
        return found[state.next] === 1 && ((behinds >> state.bit) & 1) === (state.isNegative ? 0 : 1);
      default:
        return found[i] === 1;
    }
  }

  #isEdge(edge: Edge, left: number, right: number): boolean {
    const { words, newlines } = this.#automaton;
    switch (edge) {
      case "textStart":
        return left === this.edge;
      case "textEnd":
        return right === this.edge;
      // Oniguruma sees no line behind a line end that is the text's last character.
      case "lineStart":
        return left === this.edge || (newlines[left] === 1 && right !== this.edge);
      case "lineEnd":
        return right === this.edge || newlines[right] === 1;
      case "wordEdge":
        return (words[left] === 1) !== (words[right] === 1);
      case "noWordEdge":
        return (words[left] === 1) === (words[right] === 1);
      default:
        return edge satisfies never;
    }
  }
}
