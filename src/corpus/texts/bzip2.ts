// bzip2 (Seward 1996; there is no specification but the program) as a stream. A block is unpacked at once: Huffman codes, run lengths of zeros, move to
// front, the Burrows-Wheeler transform and run lengths of bytes are undone in this order, and its checksum is held against the bytes.
import { check, fail } from "../../base/index.ts";
import { ByteReader } from "./byte-reader.ts";

const [blockMark, endMark] = [0x314159265359, 0x177245385090] as const;
/** A block takes less than this of packed bytes per byte of its size, and this for its tables. */
const [mostGrowth, tableBytes] = [1.25, 20_000];
const [headBytes, trailerBytes] = [4, 10];
const chunkBytes = 1 << 20;
const longestRun = 255;
const [longestCode, codesPerGroup, mostGroups, mostSymbols] = [20, 50, 6, 258];

/** Whether a file begins as bzip2 data do: "BZh", the size of blocks as a digit, and a mark. No text begins so. @param head ten bytes at least */
export function isBzip2(head: Uint8Array): boolean {
  const mark = Buffer.from(head.subarray(4, 10)).toString("hex");
  return (
    /^BZh[1-9]$/.test(Buffer.from(head.subarray(0, 4)).toString("latin1")) &&
    [blockMark, endMark].some((one) => one.toString(16).padStart(12, "0") === mark)
  );
}

/** @throws CriaError for damaged or truncated data, and for blocks in the form that bzip2 before 0.9.5 wrote */
export async function* unbzip2(chunks: AsyncIterable<Uint8Array>, name: string, where: string): AsyncGenerator<Uint8Array> {
  const input = new ByteReader(chunks);
  try {
    while (await input.has(1)) {
      await input.has(headBytes + trailerBytes);
      const start = Buffer.from(input.peek().subarray(0, headBytes)).toString("latin1");
      check(/^BZh[1-9]$/.test(start), where, () => `${name}: byte ${input.offset} begins no bzip2 data: it is damaged, fetch it again`);
      input.take(headBytes);
      yield* new Bzip2Stream(input, Number(start[3]) * 100_000, name, where).chunks();
    }
  } finally {
    await input.close();
  }
}

/** One of the streams that a file is made of. Blocks begin at any bit. */
class Bzip2Stream {
  readonly #input: ByteReader;
  readonly #blockSize: number;
  readonly #name: string;
  readonly #where: string;
  #bits = new Bits(new Uint8Array());
  /** The byte at each place of the transformed block, and above it the place that follows. */
  readonly #block: Uint32Array;

  constructor(input: ByteReader, blockSize: number, name: string, where: string) {
    [this.#input, this.#blockSize, this.#name, this.#where] = [input, blockSize, name, where];
    this.#block = new Uint32Array(blockSize);
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    let combined = 0;
    for (let bit = 0; ; bit = await this.#advance()) {
      await this.#input.has(Math.ceil(this.#blockSize * mostGrowth) + tableBytes);
      this.#bits = new Bits(this.#input.peek(), bit);
      const mark = this.#read(24) * 2 ** 24 + this.#read(24);
      const told = ((this.#read(16) << 16) | this.#read(16)) >>> 0;
      if (mark === endMark) {
        this.#check(told === combined, `its checksum is ${hex(combined)} but it says ${hex(told)}`);
        this.#input.take(Math.ceil(this.#bits.at / 8));
        return;
      }
      this.#check(mark === blockMark, "no block begins where one must");
      const output = new RunDecoder(this.#block, ...this.#readBlock());
      yield* output.chunks();
      this.#check(output.checksum === told, `a block's checksum is ${hex(output.checksum)} but it says ${hex(told)}`);
      combined = (((combined << 1) | (combined >>> 31)) ^ told) >>> 0;
    }
  }

  /** Takes what was read. @returns at which bit of the next byte reading goes on */
  async #advance(): Promise<number> {
    const { at } = this.#bits;
    this.#input.take(at >>> 3);
    return at & 7;
  }

  #read(count: number): number {
    this.#check(this.#bits.left >= count, "it ends inside a block: the file is cut short");
    return this.#bits.take(count);
  }

  #check(condition: boolean, what: string): void {
    if (!condition) fail(this.#where, `${this.#name}: its bzip2 data is damaged near byte ${this.#input.offset} (${what}): fetch it again`);
  }

  /** The number of bytes in the block, and where its first one stands. */
  #readBlock(): [length: number, first: number] {
    this.#check(this.#read(1) === 0, "a block is in the randomised form that no program writes any more");
    const origin = this.#read(24);
    const symbols = this.#readSymbols();
    const [groups, count] = [this.#read(3), this.#read(15)];
    this.#check(symbols.length > 0 && groups >= 2 && groups <= mostGroups && count > 0, "a block's tables are wrong");
    const selectors = this.#readSelectors(groups, count);
    const codes = Array.from({ length: groups }, () => this.#readCode(symbols.length + 2));
    const length = this.#readCodes(symbols, selectors, codes);
    this.#check(origin < length, "a block begins outside of itself");
    return [length, invertTransform(this.#block, length, origin)];
  }

  /** The bytes that the block has, by a map of maps. */
  #readSymbols(): Uint8Array {
    const used = this.#read(16);
    const symbols: number[] = [];
    for (let i = 0; i < 16; i++) {
      const map = (used >> (15 - i)) & 1 ? this.#read(16) : 0;
      for (let j = 0; j < 16; j++) if ((map >> (15 - j)) & 1) symbols.push(16 * i + j);
    }
    return Uint8Array.from(symbols);
  }

  /** Which code each group of 50 symbols has, moved to front. */
  #readSelectors(groups: number, count: number): Uint8Array {
    const order = Array.from({ length: groups }, (_, i) => i);
    return Uint8Array.from({ length: count }, () => {
      let index = 0;
      while (this.#read(1) === 1) index++;
      this.#check(index < groups, "a block chooses a code that it has not");
      order.unshift(...order.splice(index, 1));
      return order[0] ?? 0;
    });
  }

  #readCode(symbols: number): HuffmanCode {
    const lengths = new Uint8Array(symbols);
    let length = this.#read(5);
    for (let i = 0; i < symbols; i++) {
      while (this.#read(1) === 1) {
        length += this.#read(1) === 0 ? 1 : -1;
        this.#check(length >= 1 && length <= longestCode, "a code is longer than codes are");
      }
      this.#check(length >= 1 && length <= longestCode, "a code is longer than codes are");
      lengths[i] = length;
    }
    return new HuffmanCode(lengths);
  }

  /** Reads symbols into the block's bytes. Symbols 0 and 1 are digits of a run of the front byte, the last one ends the block. @returns how many bytes */
  #readCodes(symbols: Uint8Array, selectors: Uint8Array, codes: readonly HuffmanCode[]): number {
    const [block, front, end] = [this.#block, Uint8Array.from(symbols), symbols.length + 1];
    let [length, run, digit] = [0, 0, 1];
    for (const selector of selectors) {
      const code = codes[selector];
      for (let i = 0; code !== undefined && i < codesPerGroup; i++) {
        const symbol = code.take(this.#bits);
        this.#check(symbol >= 0 && this.#bits.left >= 0, "it ends inside a block, or has a code that is none");
        if (symbol < 2) {
          run += digit << symbol;
          digit *= 2;
          this.#check(run <= this.#blockSize, "a run is longer than its block");
          continue;
        }
        this.#check(length + run + 1 <= this.#blockSize || symbol === end, "a block is longer than it says");
        if (run > 0) {
          this.#check(length + run <= this.#blockSize, "a block is longer than it says");
          block.fill(front[0] ?? 0, length, length + run);
          length += run;
          [run, digit] = [0, 1];
        }
        if (symbol === end) return length;
        const byte = front[symbol - 1] ?? 0;
        front.copyWithin(1, 0, symbol - 1);
        front[0] = byte;
        block[length++] = byte;
      }
    }
    this.#check(false, "a block does not end");
    return 0;
  }
}

/** Bits of bytes, the highest of each first. */
class Bits {
  readonly #bytes: Uint8Array;
  /** The number of the next bit. */
  at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.at = at;
  }

  get left(): number {
    return 8 * this.#bytes.length - this.at;
  }

  /** The next bits, 24 at most, without taking them; behind the end there are zeros. */
  peek(count: number): number {
    const [bytes, at] = [this.#bytes, this.at >>> 3];
    const word = ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
    return (word << (this.at & 7)) >>> (32 - count);
  }

  take(count: number): number {
    const bits = this.peek(count);
    this.at += count;
    return bits;
  }
}

const quickBits = 10;

/** A canonical Huffman code: short ones by a table, longer ones by the last code of each length. */
class HuffmanCode {
  /** The symbol that the next ten bits begin with, and above it the code's length; 0 where the code is longer. */
  readonly #quick = new Uint16Array(1 << quickBits);
  readonly #symbols = new Uint16Array(mostSymbols);
  /** The first code that is longer than each length, as if it had 20 bits. */
  readonly #limits = new Int32Array(longestCode + 2);
  /** What to add to a code of each length for the place of its symbol. */
  readonly #offsets = new Int32Array(longestCode + 2);

  constructor(lengths: Uint8Array) {
    let [code, place] = [0, 0];
    for (let length = 1; length <= longestCode; length++, code <<= 1) {
      this.#offsets[length] = place - code;
      for (let symbol = 0; symbol < lengths.length; symbol++) {
        if (lengths[symbol] !== length) continue;
        this.#symbols[place++] = symbol;
        if (length <= quickBits) this.#quick.fill((length << 9) | symbol, code << (quickBits - length), (code + 1) << (quickBits - length));
        code++;
      }
      this.#limits[length] = code << (longestCode - length);
    }
  }

  /** The next symbol; -1 where no code begins so. */
  take(bits: Bits): number {
    const next = bits.peek(longestCode);
    const quick = this.#quick[next >>> (longestCode - quickBits)] ?? 0;
    if (quick !== 0) {
      bits.at += quick >>> 9;
      return quick & 511;
    }
    for (let length = quickBits + 1; length <= longestCode; length++) {
      if (next >= (this.#limits[length] ?? 0)) continue;
      bits.at += length;
      return this.#symbols[(next >>> (longestCode - length)) + (this.#offsets[length] ?? 0)] ?? -1;
    }
    return -1;
  }
}

/** Puts above each byte the place of the byte that follows it in the text. @returns what stands at the origin: the place of the first byte */
function invertTransform(block: Uint32Array, length: number, origin: number): number {
  const starts = new Uint32Array(257);
  for (let i = 0; i < length; i++) starts[(block[i]! & 0xff) + 1]!++;
  for (let byte = 0; byte < 256; byte++) starts[byte + 1]! += starts[byte]!;
  for (let i = 0; i < length; i++) block[starts[block[i]! & 0xff]!++]! |= i << 8;
  return block[origin]! >>> 8;
}

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  return crc;
});

/** Four equal bytes are followed by the number of more of them. The checksum is CRC-32 with the highest bit first. */
class RunDecoder {
  readonly #block: Uint32Array;
  #left: number;
  #place: number;
  #crc = -1;
  /** The byte before, and how many equal ones end with it. */
  #last = -1;
  #equal = 0;

  constructor(block: Uint32Array, length: number, first: number) {
    [this.#block, this.#left, this.#place] = [block, length, first];
  }

  get checksum(): number {
    return ~this.#crc >>> 0;
  }

  *chunks(): Generator<Uint8Array> {
    while (this.#left > 0) {
      const out = new Uint8Array(chunkBytes + longestRun);
      yield out.subarray(0, this.#fill(out));
    }
  }

  /** @returns how many bytes it wrote */
  #fill(out: Uint8Array): number {
    const block = this.#block;
    let [at, left, place, crc, last, equal] = [0, this.#left, this.#place, this.#crc, this.#last, this.#equal];
    for (; left > 0 && at < chunkBytes; left--) {
      const entry = block[place]!;
      const byte = entry & 0xff;
      place = entry >>> 8;
      if (equal < 4) {
        equal = byte === last ? equal + 1 : 1;
        last = byte;
        out[at++] = byte;
        crc = (crc << 8) ^ crcTable[(crc >>> 24) ^ byte]!;
        continue;
      }
      for (let i = 0; i < byte; i++) {
        out[at++] = last;
        crc = (crc << 8) ^ crcTable[(crc >>> 24) ^ last]!;
      }
      [last, equal] = [-1, 0];
    }
    [this.#left, this.#place, this.#crc, this.#last, this.#equal] = [left, place, crc, last, equal];
    return at;
  }
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, "0")}`;
}
