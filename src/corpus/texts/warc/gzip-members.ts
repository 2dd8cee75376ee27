// gzip data whose members are records of their own (RFC 1952, section 2.2), as crawls are packed: behind a damaged member the next one is read.
import { constants, crc32, inflateRawSync } from "node:zlib";
import { ByteReader } from "../byte-reader.ts";
import { gunzipped } from "../gunzipped.ts";

/** A member is unpacked at once when neither its packed nor its unpacked bytes are more; a file that is one long member is unpacked as a stream. */
const [longestPacked, longestUnpacked] = [16 * 2 ** 20, 64 * 2 ** 20];
const trailerBytes = 8;
/** So many bytes of what looks like a member behind a damaged one are tried first, and more while not too many were tried in vain. */
const probeBytes = 1 << 12;
/** Bytes that may be tried in vain, and how many more of them for each byte that was passed over. */
const [freeTries, triesPerByte] = [64 * 2 ** 20, 16];
const flags = { headerCrc: 2, extra: 4, name: 8, comment: 16 };

/** What trying a member came to; "unfinished" needs more bytes, or is too large to be unpacked at once. */
type Tried = { readonly bytes: Uint8Array; readonly packed: number } | "damaged" | "unfinished";

/** Unpacks members one after another. */
export class GzipMembers {
  readonly #input: ByteReader;
  readonly #onDamage: (what: string, offset: number) => void;
  #isDone = false;
  /** Whether no member was found yet behind a damaged one. */
  #isLost = false;
  /** Where the damaged stretch begins, and how many bytes behind it were tried in vain. */
  #lostAt = 0;
  #spent = 0;

  /** @param onDamage is told of each damaged stretch, with its offset in the file */
  constructor(chunks: AsyncIterable<Uint8Array>, onDamage: (what: string, offset: number) => void) {
    this.#input = new ByteReader(chunks);
    this.#onDamage = onDamage;
  }

  /** Whether all members were given. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** The unpacked bytes up to the next damage: what comes behind it is given by the next call. */
  async *intact(): AsyncGenerator<Uint8Array> {
    while (await this.#hasMember()) {
      const offset = this.#input.offset;
      const tried = this.#isLost ? await this.#probe() : await this.#next();
      if (tried === "unfinished" && !this.#isLost && (await this.#input.has(longestPacked))) return yield* this.#stream(offset);
      if (typeof tried === "object") {
        this.#isLost = false;
        this.#input.take(tried.packed);
        yield tried.bytes;
        continue;
      }
      if (!this.#isLost) {
        this.#onDamage(tried === "unfinished" ? "gzip data that is cut short" : "gzip data that is damaged", offset);
        [this.#isLost, this.#lostAt, this.#spent] = [true, offset, 0];
      }
      this.#input.take(1);
      return;
    }
    this.#isDone = true;
    await this.#input.close();
  }

  /** Goes to the next bytes that may begin a member; zeros between members are padding. */
  async #hasMember(): Promise<boolean> {
    while (await this.#input.has(1)) {
      const open = this.#input.peek();
      const at = open.findIndex((byte) => (this.#isLost ? byte === 0x1f : byte !== 0));
      this.#input.take(at < 0 ? open.length : at);
      if (at < 0) continue;
      await this.#input.has(4);
      const [first, second, method] = this.#input.peek();
      if (!this.#isLost || (first === 0x1f && second === 0x8b && method === 8)) return true;
      this.#input.take(1);
    }
    return false;
  }

  /** Tries what looks like a member behind a damaged one, in time that is in proportion to what was passed over. */
  async #probe(): Promise<Tried> {
    const isLonger = await this.#input.has(probeBytes);
    const tried = unpackMember(this.#input.peek().subarray(0, probeBytes));
    if (tried !== "unfinished" || !isLonger) return tried;
    if (this.#spent > freeTries + triesPerByte * (this.#input.offset - this.#lostAt)) return "damaged";
    const whole = await this.#next();
    if (typeof whole !== "object") this.#spent += this.#input.peek().length;
    return whole;
  }

  async #next(): Promise<Tried> {
    for (let want = 1; ; want = 2 * this.#input.peek().length) {
      const hasMore = await this.#input.has(Math.min(want, longestPacked));
      const tried = unpackMember(this.#input.peek());
      if (tried !== "unfinished" || !hasMore || want > longestPacked) return tried;
    }
  }

  /** A long member and all behind it. */
  async *#stream(offset: number): AsyncGenerator<Uint8Array> {
    this.#isDone = true;
    try {
      const left = yield* gunzipped(this.#input.pieces(Number.POSITIVE_INFINITY), 1 << 20);
      if (left !== undefined)
        this.#onDamage("gzip data behind zeros, which end a member that is too long to be passed over", offset + left.read);
    } catch (error) {
      if (!(error as NodeJS.ErrnoException).code?.startsWith("Z_")) throw error;
      this.#onDamage("gzip data that is damaged or cut short, in a member that is too long to be passed over", offset);
    } finally {
      await this.#input.close();
    }
  }
}

function unpackMember(bytes: Uint8Array): Tried {
  const start = dataStart(bytes);
  if (typeof start !== "number") return start;
  try {
    const { buffer, engine } = inflateRawSync(bytes.subarray(start), {
      maxOutputLength: longestUnpacked,
      info: true,
    }) as unknown as Inflated;
    const end = start + engine.bytesWritten;
    if (bytes.length < end + trailerBytes) return "unfinished";
    const trailer = new DataView(bytes.buffer, bytes.byteOffset + end, trailerBytes);
    const isSame = trailer.getUint32(0, true) === crc32(buffer) && trailer.getUint32(4, true) === buffer.length >>> 0;
    return isSame ? { bytes: buffer, packed: end + trailerBytes } : "damaged";
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "Z_BUF_ERROR" || code === "ERR_BUFFER_TOO_LARGE") return "unfinished";
    if (code?.startsWith("Z_")) return "damaged";
    throw error;
  }
}

/** What a member begins with, as far as its first bytes tell; undefined where these begin none. */
export function memberHead(bytes: Uint8Array): Uint8Array | undefined {
  const start = dataStart(bytes);
  if (typeof start !== "number") return undefined;
  try {
    return inflateRawSync(bytes.subarray(start), { finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    return undefined;
  }
}

/** What Node returns with `info`, which its types leave out. */
interface Inflated {
  readonly buffer: Buffer;
  /** Counts the bytes that were taken, up to the end of the data. */
  readonly engine: { readonly bytesWritten: number };
}

/** Where the deflated data begins behind a member's header (RFC 1952, section 2.3). */
function dataStart(bytes: Uint8Array): number | "damaged" | "unfinished" {
  if (bytes.length < 10) return "unfinished";
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b || bytes[2] !== 8) return "damaged";
  const flag = bytes[3] ?? 0;
  let at = 10;
  if (flag & flags.extra) at += 2 + (bytes[at] ?? 0) + 256 * (bytes[at + 1] ?? 0);
  for (const text of [flags.name, flags.comment])
    if (flag & text) {
      const end = bytes.indexOf(0, at);
      if (end < 0) return "unfinished";
      at = end + 1;
    }
  if (flag & flags.headerCrc) at += 2;
  return at <= bytes.length ? at : "unfinished";
}
