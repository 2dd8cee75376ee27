import { expect, test } from "vitest";
import { CriaError } from "../../../base/index.ts";
import { createControl } from "./barrier.ts";
import { Crew } from "./crew.ts";
import { assemble, nothing } from "./kernels.test.util.ts";
import type { Phase } from "./program.ts";
import { createCounters } from "./replay.ts";

test("a thread that dies rejects every open question, frees the others from their barrier, and ends the crew", async () => {
  const crew = await Crew.start({ control: createControl(), threads: 2, linker: new URL("./wasm-linker.js", import.meta.url).href });
  const phases: Phase[] = Array(3).fill([{ kernel: 0, args: [], units: 1, grain: 1 }]);
  const counters = createCounters(phases);
  const module = new WebAssembly.Module(assemble(nothing) as Uint8Array<ArrayBuffer>);
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  await crew.ask(() => ({ type: "load", program: 0, code: { module, memory }, phases, counters }));
  // Thread 1 runs a program that it was never given: an exception outside of any kernel, which ends the thread.
  const errors = [0, 1].map((first) =>
    crew.ask((thread) => ({ type: "run", program: first + thread, scratch: 0 })).catch((error: unknown) => error),
  );
  for (const error of await Promise.all(errors)) {
    expect(error).toBeInstanceOf(CriaError);
    expect(String(error)).toMatch(/\[cpu\] worker thread \d died \(TypeError.*: dispose of the engine and open another/);
  }
  await expect(crew.ask(() => ({ type: "unload", program: 0 }))).rejects.toThrow(/\[cpu\] worker thread \d died/);
  await crew.dismiss("over");
});
