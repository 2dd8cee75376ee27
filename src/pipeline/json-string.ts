// A text as a JSON string in UTF-8, the same bytes as JSON.stringify gives: bytes are escaped behind the conversion to UTF-8, which takes less than half of the
// time (measured: docs/log/2026-11-28-cleaning.md).

/** Longer texts are left to JSON.stringify, so that the buffers stay small. */
const mostUnits = 1 << 16;
const raw = new Uint8Array(3 * mostUnits);
const quoted = new Uint8Array(6 * raw.length + 2);
const encoder = new TextEncoder();

const [quote, backslash] = [0x22, 0x5c];
/** What a byte becomes: itself, a letter behind a backslash, six characters, or unknown, as a lone surrogate and U+FFFD have the same UTF-8, EF BF BD. */
const [itself, sixCharacters, unknown] = [0, 1, 2];
const become = escapes();

function escapes(): Uint8Array {
  const table = new Uint8Array(256).fill(itself).fill(sixCharacters, 0, 0x20);
  for (const [character, letter] of ['""', "\\\\", "\bb", "\ff", "\nn", "\rr", "\tt"])
    table[character!.charCodeAt(0)] = letter!.charCodeAt(0);
  table[0xef] = unknown;
  return table;
}

/** The bytes of the text as a JSON string, which last until the next call. */
export function jsonString(text: string): Uint8Array {
  const end = text.length > mostUnits ? 0 : quoteBytes(encoder.encodeInto(text, raw).written);
  return end > 0 ? quoted.subarray(0, end) : encoder.encode(JSON.stringify(text));
}

/** Puts so many bytes of `raw` into `quoted`. @returns how many there are then, or 0 where a lone surrogate may be among them */
function quoteBytes(count: number): number {
  quoted[0] = quote;
  let to = 1;
  for (let at = 0; at < count; at++) {
    const byte = raw[at]!;
    const letter = become[byte]!;
    if (letter === itself) quoted[to++] = byte;
    else if (letter === unknown) {
      if (raw[at + 1] === 0xbf && raw[at + 2] === 0xbd) return 0;
      quoted[to++] = byte;
    } else if (letter === sixCharacters) to = writeSix(byte, to);
    else {
      quoted[to++] = backslash;
      quoted[to++] = letter;
    }
  }
  quoted[to++] = quote;
  return to;
}

/** Writes a control character as \u00.., in small letters. */
function writeSix(byte: number, to: number): number {
  const digits = `\\u${byte.toString(16).padStart(4, "0")}`;
  for (let i = 0; i < digits.length; i++) quoted[to + i] = digits.charCodeAt(i);
  return to + digits.length;
}
