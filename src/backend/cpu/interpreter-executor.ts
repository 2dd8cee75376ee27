// Kernels by the interpreter, for any target: the judge of lowering and of compilers, on graphs small enough to wait for.
import { fail } from "../../base/index.ts";
import { interpret, type Kernel, type Target, verify } from "../../kernel/index.ts";
import type { Executor, Phase } from "./executor.ts";

const memoryBytes = 1 << 25;

/** Bump allocation: nothing is given back before the end. */
export function interpreterExecutor(target: Target): Executor {
  const memory = new ArrayBuffer(memoryBytes);
  const programs = new Map<number, { kernels: readonly Kernel[]; phases: readonly Phase[]; scratch: number }>();
  let nextProgram = 0;
  let next = 64;
  const allocate = (bytes: number) => {
    const address = next;
    const end = address + Math.ceil(bytes / 64) * 64;
    if (end > memoryBytes) fail("cpu", `${bytes} bytes do not fit the interpreter's ${memoryBytes}: use wasm`);
    next = end;
    return address;
  };
  return {
    name: `interpreter of ${target.name}`,
    target,
    threads: 1,
    allocate,
    free: () => undefined,
    room: () => ({ left: memoryBytes - next, filled: 0, bound: "the interpreter's memory" }),
    read: (address, into) => bytesOf(into).set(new Uint8Array(memory, address, into.byteLength)),
    write: (address, from) => new Uint8Array(memory, address).set(bytesOf(from)),
    load: async (kernels, phases) => {
      kernels.forEach(verify);
      const scratch = allocate(Math.max(64, ...kernels.map((kernel) => kernel.scratchBytes)));
      const program = nextProgram++;
      programs.set(program, { kernels, phases, scratch });
      return program;
    },
    run: async (program) => {
      const { kernels, phases, scratch } = programs.get(program)!;
      for (const { kernel, args } of phases.flat()) {
        const { units } = kernels[kernel]!;
        interpret(kernels[kernel]!, memory, [...args, scratch, 0, units]);
      }
    },
    unload: (program) => void programs.delete(program),
    dispose: async () => programs.clear(),
  };
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}
