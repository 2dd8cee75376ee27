// The wire format of Protocol Buffers (protobuf.dev/programming-guides/encoding): fields one behind the other, each with a tag, `number << 3 | type`.

/** The types of fields, by their numbers there. */
export const wireTypes = { varint: 0, bit64: 1, lengthDelimited: 2, startGroup: 3, endGroup: 4, bit32: 5 } as const;

/** Bytes of a number of 64 bits, seven bits each. */
const longestVarint = 10;

/** Reads the fields of one message. Every length is held against the bytes that there are. */
export class WireReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  /** Whether the last number had more than 32 bits. */
  #isLarge = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** The next field's number and type. @throws RangeError where there is none */
  tag(): readonly [field: number, type: number] {
    const tag = this.#uint32();
    const field = tag >>> 3;
    const type = tag & 7;
    if (field === 0 || type > wireTypes.bit32) throw new RangeError(`field ${field} has the wire type ${type}`);
    return [field, type];
  }

  /** A whole number of 32 bits, as a longer one is cut. */
  int32(): number {
    return this.#varint();
  }

  bool(): boolean {
    return this.#varint() !== 0 || this.#isLarge;
  }

  float(): number {
    return this.#view.getFloat32(this.#take(4), true);
  }

  /** The bytes of a text or a message, which stay where they are. */
  bytes(): Uint8Array {
    const length = this.#uint32();
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** Passes over a field of any type. @throws RangeError where it is cut short */
  skip(type: number, field: number): void {
    if (type === wireTypes.varint) this.#varint();
    else if (type === wireTypes.bit64) this.#take(8);
    else if (type === wireTypes.lengthDelimited) this.bytes();
    else if (type === wireTypes.bit32) this.#take(4);
    else if (type === wireTypes.startGroup) this.#skipGroup(field);
    else throw new RangeError(`group ${field} ends and has not begun`);
  }

  /** Groups may lie in one another as deep as there are bytes, so that the open ones are a list. */
  #skipGroup(field: number): void {
    const open = [field];
    while (open.length > 0) {
      const [inner, type] = this.tag();
      if (type === wireTypes.startGroup) open.push(inner);
      else if (type !== wireTypes.endGroup) this.skip(type, inner);
      else if (open.pop() !== inner) throw new RangeError(`group ${inner} ends within another one`);
    }
  }

  /** A whole number from 0 on, of 32 bits. */
  #uint32(): number {
    const low = this.#varint();
    if (this.#isLarge) throw new RangeError("a tag or a length has more than 32 bits");
    return low >>> 0;
  }

  /** The low 32 bits of the next number. */
  #varint(): number {
    let low = 0;
    this.#isLarge = false;
    for (let i = 0; i < longestVarint; i++) {
      const byte = this.#bytes[this.#take(1)]!;
      if (i < 5) low |= (byte & 0x7f) << (7 * i);
      if (i > 4 ? (byte & 0x7f) > 0 : i === 4 && (byte & 0x70) > 0) this.#isLarge = true;
      if (byte < 0x80) return low;
    }
    throw new RangeError("a number has more than ten bytes");
  }

  /** Where so many bytes begin, which are passed over. @throws RangeError where there are fewer */
  #take(length: number): number {
    const start = this.#at;
    if (length > this.#bytes.length - start) throw new RangeError(`${length} bytes are needed, but ${this.#bytes.length - start} are left`);
    this.#at = start + length;
    return start;
  }
}

/** Writes the fields of one message. */
export class WireWriter {
  #bytes = new Uint8Array(1 << 8);
  #view = new DataView(this.#bytes.buffer);
  #size = 0;

  /** A whole number of 32 bits; a negative one takes ten bytes. */
  int32(field: number, value: number): void {
    this.#tag(field, wireTypes.varint);
    this.#varint(BigInt.asUintN(64, BigInt(value | 0)));
  }

  bool(field: number, value: boolean): void {
    this.int32(field, value ? 1 : 0);
  }

  float(field: number, value: number): void {
    this.#tag(field, wireTypes.bit32);
    this.#reserve(4);
    this.#view.setFloat32(this.#size, value, true);
    this.#size += 4;
  }

  text(field: number, value: string): void {
    this.bytes(field, new TextEncoder().encode(value));
  }

  /** The bytes of a message, or others. */
  bytes(field: number, value: Uint8Array): void {
    this.#tag(field, wireTypes.lengthDelimited);
    this.#varint(BigInt(value.length));
    this.#reserve(value.length);
    this.#bytes.set(value, this.#size);
    this.#size += value.length;
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#size);
  }

  #tag(field: number, type: number): void {
    this.#varint(BigInt(8 * field + type));
  }

  #varint(value: bigint): void {
    this.#reserve(longestVarint);
    let rest = value;
    for (; rest >= 0x80n; rest >>= 7n) this.#bytes[this.#size++] = Number(rest & 0x7fn) | 0x80;
    this.#bytes[this.#size++] = Number(rest);
  }

  #reserve(length: number): void {
    if (this.#size + length <= this.#bytes.length) return;
    const larger = new Uint8Array(2 * (this.#size + length));
    larger.set(this.#bytes);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}
