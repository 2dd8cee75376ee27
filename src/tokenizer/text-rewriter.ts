// SentencePiece's denormaliser: compiled rules that rewrite a decoded text, while it is still coming.
import { Charsmap } from "./charsmap.ts";
import { characterBytes } from "./normaliser.ts";

/** Rewrites a text by compiled rules, piece by piece. */
export class TextRewriter {
  readonly #map: Charsmap;
  /** The end of the text so far, which a rule may begin in. */
  #open: Uint8Array = new Uint8Array(0);

  constructor(charsmap: Uint8Array) {
    this.#map = new Charsmap(charsmap);
  }

  /** Takes more of the text, whole characters. @returns what is certain by now; with `isEnd` all of it */
  add(text: Uint8Array, isEnd: boolean): Uint8Array {
    const bytes = Uint8Array.from([...this.#open, ...text]);
    const out: number[] = [];
    let at = 0;
    while (at < bytes.length) {
      const found: Uint8Array[] = [];
      const taken = this.#map.replace(bytes, at, (replacement) => found.push(replacement));
      if (this.#map.wantsMore && !isEnd) break;
      const end = at + (taken || characterBytes(bytes[at]!));
      out.push(...(found[0] ?? bytes.subarray(at, end)));
      at = end;
    }
    this.#open = bytes.slice(at);
    return Uint8Array.from(out);
  }
}
