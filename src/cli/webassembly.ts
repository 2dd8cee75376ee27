// What cria needs of WebAssembly and threads here, whatever the kernels are compiled for.

/** Whether this WebAssembly has SIMD: it is asked to validate a function that returns `i8x16.popcnt(i8x16.splat(0))`. */
export function hasSimd(): boolean {
  const header = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]; // "\0asm", version 1
  const types = [1, 5, 1, 0x60, 0, 1, 0x7b]; // one type: () → v128
  const functions = [3, 2, 1, 0];
  const code = [10, 10, 1, 8, 0, 0x41, 0, 0xfd, 0x0f, 0xfd, 0x62, 0x0b]; // i32.const 0, i8x16.splat, i8x16.popcnt, end
  return WebAssembly.validate(new Uint8Array([...header, ...types, ...functions, ...code]));
}

/** Worker threads need one memory that all of them see. */
export function hasSharedMemory(): boolean {
  return typeof SharedArrayBuffer === "function" && typeof Atomics.wait === "function";
}
