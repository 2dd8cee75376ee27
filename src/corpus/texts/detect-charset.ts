// Which encoding bytes are in that are no UTF-8, by chardet's statistics of byte sequences, among those that the platform decodes.
import { analyse } from "chardet";

/** Statistics of so many bytes tell an encoding; more cost time. */
const sampleBytes = 1 << 16;
/** chardet's confidence, of 100, below which it says nothing. */
const leastConfidence = 20;
/** What western texts of the nineties are in, and browsers take where nothing is said. */
const usual = "windows-1252";

/** A decoder for the bytes, of which the first that are no ASCII count most. */
export function detectCharset(bytes: Uint8Array): TextDecoder {
  const first = bytes.findIndex((byte) => byte > 0x7f);
  const sample = bytes.subarray(Math.max(0, first - sampleBytes / 8)).subarray(0, sampleBytes);
  for (const { name, confidence } of analyse(sample)) {
    const decoder = confidence < leastConfidence ? undefined : decoderOf(name);
    if (decoder !== undefined && !/^utf-/.test(decoder.encoding)) return decoder;
  }
  return new TextDecoder(usual);
}

/** The decoder of a label (https://encoding.spec.whatwg.org); undefined where it is none. */
export function decoderOf(label: string | undefined): TextDecoder | undefined {
  if (label === undefined) return undefined;
  try {
    return new TextDecoder(label);
  } catch {
    return undefined;
  }
}
