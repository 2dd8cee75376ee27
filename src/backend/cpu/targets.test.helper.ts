// Which targets a test can run on.
import { chooseTarget } from "../../host/index.ts";

/** The targets that this machine has: wasm, and those with machine code that its processor and system allow. */
export async function targetsHere(): Promise<string[]> {
  const found = await Promise.allSettled(["wasm", "avx2", "avx512"].map((target) => chooseTarget(target).then(() => target)));
  return found.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
}
