// Which tokens no repetition reaches across, from texts: those whose own text holds one of them.
import type { Tokenizer } from "../tokenizer/index.ts";

/** What ends a repetition where nothing else is said: line ends, colons, quotation marks and asterisks (p-e-w 2024, text-generation-webui). */
export const usualBreakers: readonly string[] = ["\n", ":", '"', "*"];

const known = new WeakMap<Tokenizer, Map<string, readonly number[]>>();

/** Looks at all pieces of a vocabulary once for each set of texts. */
export function breakerIds(tokenizer: Tokenizer, breakers: readonly string[]): readonly number[] {
  const ofTokenizer = known.get(tokenizer) ?? new Map<string, readonly number[]>();
  known.set(tokenizer, ofTokenizer);
  const key = JSON.stringify(breakers);
  const ids = ofTokenizer.get(key) ?? find(tokenizer, breakers);
  ofTokenizer.set(key, ids);
  return ids;
}

/** Bytes are looked at as characters below 256, of which strings search fast. */
function find(tokenizer: Tokenizer, breakers: readonly string[]): readonly number[] {
  const parts = breakers.map((text) => latin1(new TextEncoder().encode(text)));
  const ids: number[] = [];
  for (let id = 0; id < tokenizer.vocabSize; id++) {
    const bytes = latin1(tokenizer.pieceBytes(id));
    if (parts.some((part) => bytes.includes(part))) ids.push(id);
  }
  return ids;
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
