// A hash table that finds what stands in a text more than once: numbers of things by their hashes, and who asks says whether two are equal.

/** Numbers of things, of which equal ones meet. It is used again for one text after another, and grows with the largest. */
export class RepeatTable {
  /** The number of a thing plus one, 0 where a place is free, and its hash, in turns. */
  #table = new Int32Array(1 << 11);
  /** The last place, of as many as are in use. */
  #mask = 0;

  /** Forgets all and makes room for `things`. */
  clear(things: number): void {
    let places = 1 << 8;
    while (places < 2 * things) places *= 2;
    if (2 * places <= this.#table.length) this.#table.fill(0, 0, 2 * places);
    else this.#table = new Int32Array(2 * places);
    this.#mask = places - 1;
  }

  /**
   * The first thing that equals this one, or the thing itself, which is kept where it is the first.
   * @param equals whether two things of one hash are equal
   */
  firstOf(thing: number, hash: number, equals: (a: number, b: number) => boolean): number {
    const table = this.#table;
    const mask = this.#mask;
    const mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    for (let place = (mixed ^ (mixed >>> 13)) & mask; ; place = (place + 1) & mask) {
      const found = table[2 * place]!;
      if (found === 0) {
        table[2 * place] = thing + 1;
        table[2 * place + 1] = hash;
        return thing;
      }
      if (table[2 * place + 1] === hash && equals(found - 1, thing)) return found - 1;
    }
  }
}
