// Memory and code on Windows: VirtualAlloc and its family (Microsoft, memoryapi.h). Flags and protections have the names of winnt.h.
import { fail } from "../base/index.ts";
import { type CopyIn, type CopyOut, type Koffi, type NativeSystem, type Numbers, type Pages, pageBytes, roundUp } from "./native-system.ts";

const [MEM_COMMIT, MEM_RESERVE, MEM_RELEASE] = [0x1000, 0x2000, 0x8000] as const;
const [PAGE_NOACCESS, PAGE_READWRITE, PAGE_EXECUTE_READ] = [0x01, 0x04, 0x20] as const;
/** What GetCurrentProcess returns, by its documentation: a constant. */
const currentProcess = -1;

type Protect = (address: number, bytes: number, protection: number, before: Uint32Array) => number;

/** Pages of Windows. */
export class WindowsSystem implements NativeSystem {
  readonly convention = "windows";
  readonly #virtualAlloc: Numbers;
  readonly #virtualFree: Numbers;
  readonly #virtualProtect: Protect;
  readonly #flushInstructionCache: Numbers;
  readonly #getLastError: () => number;
  readonly #zeroMemory: Numbers;
  readonly #moveIn: CopyIn;
  readonly #moveOut: CopyOut;

  constructor(koffi: Koffi) {
    const kernel32 = koffi.load("kernel32.dll");
    this.#virtualAlloc = kernel32.func("VirtualAlloc", "intptr_t", ["intptr_t", "size_t", "uint32_t", "uint32_t"]) as Numbers;
    this.#virtualFree = kernel32.func("VirtualFree", "int", ["intptr_t", "size_t", "uint32_t"]) as Numbers;
    this.#virtualProtect = kernel32.func("VirtualProtect", "int", ["intptr_t", "size_t", "uint32_t", "void *"]) as Protect;
    this.#flushInstructionCache = kernel32.func("FlushInstructionCache", "int", ["intptr_t", "intptr_t", "size_t"]) as Numbers;
    this.#getLastError = kernel32.func("GetLastError", "uint32_t", []) as () => number;
    this.#zeroMemory = kernel32.func("RtlZeroMemory", "void", ["intptr_t", "size_t"]) as Numbers;
    this.#moveIn = kernel32.func("RtlMoveMemory", "void", ["intptr_t", "void *", "size_t"]) as CopyIn;
    this.#moveOut = kernel32.func("RtlMoveMemory", "void", ["void *", "intptr_t", "size_t"]) as CopyOut;
  }

  /** Reserves from a multiple of 64 KiB: huge pages are for processes with a privilege, so there is nothing to line up with. */
  reserve(bytes: number): Pages {
    return this.#allocate(roundUp(bytes, pageBytes), MEM_RESERVE, PAGE_NOACCESS);
  }

  commit({ address, bytes }: Pages): void {
    if (this.#virtualAlloc(address, bytes, MEM_COMMIT, PAGE_READWRITE) !== 0) return;
    const wayOut = "free memory on this machine, or use a smaller model or batch";
    fail("cpu", `the system refuses ${bytes} more bytes of memory (error ${this.#getLastError()}): ${wayOut}`);
  }

  map(bytes: number): Pages {
    return this.#allocate(roundUp(bytes, pageBytes), MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
  }

  makeExecutable({ address, bytes }: Pages): void {
    if (this.#virtualProtect(address, bytes, PAGE_EXECUTE_READ, new Uint32Array(1)) === 0)
      fail("cpu", `the system refuses to make pages executable (error ${this.#getLastError()}): a security policy forbids it`);
    this.#flushInstructionCache(currentProcess, address, bytes);
  }

  /** Always all of them: that is what 0 stands for. */
  unmap({ address }: Pages): void {
    this.#virtualFree(address, 0, MEM_RELEASE);
  }

  read(address: number, into: ArrayBufferView): void {
    this.#moveOut(into, address, into.byteLength);
  }

  write(address: number, from: ArrayBufferView): void {
    this.#moveIn(address, from, from.byteLength);
  }

  clear(address: number, bytes: number): void {
    this.#zeroMemory(address, bytes);
  }

  #allocate(bytes: number, type: number, protection: number): Pages {
    const address = this.#virtualAlloc(0, bytes, type, protection);
    if (address !== 0) return { address, bytes };
    return fail("cpu", `the system refuses ${bytes} bytes of addresses (error ${this.#getLastError()}): close other programs`);
  }
}
