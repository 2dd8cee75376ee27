// Memory and code on Linux and macOS: mmap and its family (POSIX.1-2017, <sys/mman.h>).
import { fstatSync } from "node:fs";
import { check, type FileRegion, fail } from "../base/index.ts";
import { type CopyIn, type CopyOut, type Koffi, type NativeSystem, type Numbers, type Pages, pageBytes, roundUp } from "./native-system.ts";

/** Constants of <sys/mman.h> that differ. */
export interface PosixConstants {
  readonly mapAnonymous: number;
  readonly mapNoReserve: number;
  readonly adviseHugePages?: number;
}

/** The constants of Linux. */
export const linux: PosixConstants = { mapAnonymous: 0x20, mapNoReserve: 0x4000, adviseHugePages: 14 };
/** The constants of macOS on Intel; code on Apple's own processors would need MAP_JIT too. */
export const darwin: PosixConstants = { mapAnonymous: 0x1000, mapNoReserve: 0x40 };

const [protNone, protRead, protWrite, protExecute] = [0, 1, 2, 4] as const;
const mapPrivate = 2;
const adviseDontNeed = 4;
const hugePageBytes = 2 ** 21;

/** Pages of Linux and macOS. */
export class PosixSystem implements NativeSystem {
  readonly convention = "systemV";
  readonly #constants: PosixConstants;
  readonly #mmap: Numbers;
  readonly #mprotect: Numbers;
  readonly #munmap: Numbers;
  readonly #madvise: Numbers;
  readonly #memset: Numbers;
  readonly #copyIn: CopyIn;
  readonly #copyOut: CopyOut;
  readonly #errno: () => number;

  constructor(koffi: Koffi, constants: PosixConstants) {
    this.#constants = constants;
    this.#errno = () => koffi.errno();
    // The C library is already in the process, whatever its file is called.
    const process = koffi.load(null);
    this.#mmap = process.func("mmap", "intptr_t", ["intptr_t", "size_t", "int", "int", "int", "int64_t"]) as Numbers;
    this.#mprotect = process.func("mprotect", "int", ["intptr_t", "size_t", "int"]) as Numbers;
    this.#munmap = process.func("munmap", "int", ["intptr_t", "size_t"]) as Numbers;
    this.#madvise = process.func("madvise", "int", ["intptr_t", "size_t", "int"]) as Numbers;
    this.#memset = process.func("memset", "void", ["intptr_t", "int", "size_t"]) as Numbers;
    this.#copyIn = process.func("memcpy", "void", ["intptr_t", "void *", "size_t"]) as CopyIn;
    this.#copyOut = process.func("memcpy", "void", ["void *", "intptr_t", "size_t"]) as CopyOut;
  }

  reserve(bytes: number): Pages {
    const size = roundUp(bytes, hugePageBytes);
    const wide = this.#mapAnonymous(size + hugePageBytes, protNone, this.#constants.mapNoReserve);
    const address = roundUp(wide.address, hugePageBytes);
    const [before, after] = [address - wide.address, wide.address + hugePageBytes - address];
    if (before > 0) this.unmap({ address: wide.address, bytes: before });
    if (after > 0) this.unmap({ address: address + size, bytes: after });
    // Advice: a system without huge pages says no, and nothing is lost.
    if (this.#constants.adviseHugePages !== undefined) this.#madvise(address, size, this.#constants.adviseHugePages);
    return { address, bytes: size };
  }

  commit({ address, bytes }: Pages): void {
    if (this.#mprotect(address, bytes, protRead | protWrite) === 0) return;
    const wayOut = "free memory on this machine, or use a smaller model or batch";
    fail("cpu", `the system refuses ${bytes} more bytes of memory (errno ${this.#errno()}): ${wayOut}`);
  }

  map(bytes: number): Pages {
    return this.#mapAnonymous(roundUp(bytes, pageBytes), protRead | protWrite, 0);
  }

  mapFile({ name, descriptor, start, bytes }: FileRegion): Pages | undefined {
    const size = fstatSync(descriptor).size;
    check(
      start + bytes <= size,
      "cpu",
      () => `${name}: a tensor ends at byte ${start + bytes} but the file has ${size}: another program shortened it`,
    );
    const address = this.#mmap(0, bytes, protRead | protWrite, mapPrivate | this.#constants.mapNoReserve, descriptor, start);
    return address === -1 ? undefined : { address, bytes };
  }

  /** Advice: where the system says no, the pages stay until memory is scarce. */
  dropPages({ address, bytes }: Pages): void {
    this.#madvise(address, bytes, adviseDontNeed);
  }

  makeExecutable({ address, bytes }: Pages): void {
    if (this.#mprotect(address, bytes, protRead | protExecute) === 0) return;
    fail("cpu", `the system refuses to make pages executable (errno ${this.#errno()}): a security policy forbids it`);
  }

  unmap({ address, bytes }: Pages): void {
    this.#munmap(address, bytes);
  }

  read(address: number, into: ArrayBufferView): void {
    this.#copyOut(into, address, into.byteLength);
  }

  write(address: number, from: ArrayBufferView): void {
    this.#copyIn(address, from, from.byteLength);
  }

  clear(address: number, bytes: number): void {
    this.#memset(address, 0, bytes);
  }

  #mapAnonymous(bytes: number, protection: number, flags: number): Pages {
    const address = this.#mmap(0, bytes, protection, mapPrivate | this.#constants.mapAnonymous | flags, -1, 0);
    if (address !== -1) return { address, bytes };
    return fail("cpu", `the system refuses to map ${bytes} bytes (errno ${this.#errno()}): raise the limit on address space (ulimit -v)`);
  }
}
