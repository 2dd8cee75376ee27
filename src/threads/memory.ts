// What programs compute on: one range of addresses that all threads share. What is behind them differs between WebAssembly and machine code.

/** A range of addresses that grows at its end. */
export interface Memory {
  /** The first address that may be given out; never 0, so that 0 stays a sign of a mistake. */
  readonly start: number;
  /** Where the addresses that can be used now end. */
  readonly end: number;
  /** How far `end` may move. */
  readonly limit: number;
  /** What sets the limit, as the end of a sentence for people: "all that WebAssembly can address". */
  readonly bound: string;
  /** What to do where the limit is too low, for people. */
  readonly advice: string;
  /** Moves `end` to at least this address, at most to `limit`. @throws CriaError when the system refuses. */
  grow(end: number): void;
  /** Zeroes bytes. Those that nobody has written yet are zero. */
  clear(address: number, bytes: number): void;
  /** Copies bytes out. The caller has checked that the range is allocated. */
  read(address: number, into: ArrayBufferView): void;
  /** Copies bytes in. The caller has checked that the range is allocated. */
  write(address: number, from: ArrayBufferView): void;
  /** Whether a kernel may be given this number, and the rule in words: `must be …`. */
  isArgument(value: number): boolean;
  readonly argumentRule: string;
}

/** A number of bytes in MB, for messages. */
export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
