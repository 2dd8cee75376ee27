// Bytes to text, piece by piece. UTF-8 is decoded strictly: a byte that is not names its place and the command that converts the file, or, where somebody
// counts what is converted, what follows is decoded in the encoding that it seems to be in.
import { fail, validUpTo } from "../../base/index.ts";
import { type Bytes, explainByte, explainEncoding, wideEncoding } from "./explain-encoding.ts";
import type { FormInput } from "./forms.ts";

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes of a form's input; by itself they are strictly UTF-8. */
export type DecodedInput = Bytes & Partial<Pick<FormInput, "isCounted" | "note">>;

/**
 * The text in pieces of about the chunks' size, without a byte order mark.
 * @throws CriaError for zero bytes, which no text has, and, where nobody counts, for what is not UTF-8 (RFC 3629), naming the offset of the first wrong byte
 */
export async function* decodeText(input: DecodedInput, where: string): AsyncGenerator<string> {
  const decoding = new Decoding(input, where);
  for await (const chunk of input.bytes) yield await decoding.push(chunk);
  yield decoding.end();
}

/** The text of a file as far as it was read. */
class Decoding {
  readonly #input: DecodedInput;
  readonly #where: string;
  /** A character that the next chunk completes. */
  #rest: Uint8Array = new Uint8Array(0);
  /** Where {@link #rest} begins in the unpacked file. */
  #offset: number;
  /** Whether there was ASCII alone so far, which most encodings have in common. */
  #isAscii = true;
  /** Decodes all that follows, once the file turned out not to be UTF-8. */
  #other: TextDecoder | undefined;

  constructor(input: DecodedInput, where: string) {
    [this.#input, this.#where, this.#offset] = [input, where, input.start];
  }

  async push(chunk: Uint8Array): Promise<string> {
    if (this.#other !== undefined) return this.#decodeOther(chunk);
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    if (this.#offset === 0 && this.#isWide(bytes)) return this.#decodeOther(bytes);
    const whole = bytes.length - unfinishedBytes(bytes);
    this.#refuseZero(bytes.subarray(0, whole));
    let text: string;
    try {
      text = strict.decode(bytes.subarray(0, whole));
    } catch (error) {
      if (this.#input.isCounted !== true)
        return explainByte(this.#input, { bytes, at: validUpTo(bytes), offset: this.#offset }, this.#where, error);
      return this.#decodeOther(bytes, this.#isAscii ? undefined : new TextDecoder("utf-8", { ignoreBOM: true }));
    }
    this.#rest = Uint8Array.from(bytes.subarray(whole));
    this.#isAscii &&= text.length === whole;
    const isMarked = this.#offset === 0 && text.startsWith("\ufeff");
    this.#offset += whole;
    return isMarked ? text.slice(1) : text;
  }

  end(): string {
    if (this.#other !== undefined) return this.#other.decode();
    const end = this.#offset + this.#rest.length;
    if (this.#rest.length === 0) return "";
    if (this.#input.isCounted === true) {
      this.#note("bytes that are no UTF-8");
      return "\ufffd";
    }
    return fail(
      this.#where,
      `${this.#input.name}: it ends at byte ${end} inside a character that began at ${this.#offset}: the file is cut short`,
    );
  }

  /** Whether the file is UTF-16, which is refused where nobody counts; UTF-32 always is. */
  #isWide(bytes: Uint8Array): boolean {
    const found = wideEncoding(bytes);
    if (found === undefined) return false;
    if (this.#input.isCounted !== true || found === "UTF-32") explainEncoding(this.#input, bytes, this.#where);
    const isBig = found === "UTF-16BE" || bytes[0] === 0xfe;
    this.#other = new TextDecoder(isBig ? "utf-16be" : "utf-16le");
    this.#note(this.#other.encoding);
    return true;
  }

  /** Decodes a chunk that is no UTF-8, and all that follow. @param known what decodes them; by default what they seem to be in, ASCII alone having been before */
  async #decodeOther(bytes: Uint8Array, known?: TextDecoder): Promise<string> {
    if (this.#other === undefined) {
      this.#other = known ?? (await import("./detect-charset.ts")).detectCharset(bytes); // read where a file is in another encoding
      this.#note(known === undefined ? this.#other.encoding : "bytes that are no UTF-8");
    }
    if (!this.#other.encoding.startsWith("utf-16")) this.#refuseZero(bytes);
    const text = this.#other.decode(bytes, { stream: true });
    this.#offset += bytes.length;
    return text;
  }

  #note(what: string): void {
    this.#input.note?.({ kind: "converted", what, place: `${this.#input.name}: from byte ${this.#offset}` });
  }

  #refuseZero(bytes: Uint8Array): void {
    const zero = bytes.indexOf(0);
    if (zero >= 0)
      fail(
        this.#where,
        `${this.#input.name}: the byte at offset ${this.#offset + zero} is zero, which no text has: remove it (tr -d '\\0') or leave the file out`,
      );
  }
}

/** How many bytes at the end begin a character that needs more of them: 110xxxxx needs two, 1110xxxx three, 11110xxx four in all. */
function unfinishedBytes(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80 || byte >= 0xf5) return 0;
    if (byte >= 0xc0) return back < (byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4) ? back : 0;
  }
  return 0;
}
