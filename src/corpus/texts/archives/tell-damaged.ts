// What becomes of a file in an archive that cannot be read: the archive goes on behind it where somebody counts.
import { CriaError } from "../../../base/index.ts";
import type { FormInput } from "../forms.ts";

/** Tells of a damaged file. @throws the error itself where notes are not counted, and where the disk or the network fails */
export function tellDamaged(error: unknown, { isCounted, note }: Pick<FormInput, "isCounted" | "note">, place: string): void {
  if (!(error instanceof CriaError) || !isCounted || isOfSystem(error)) throw error;
  note({ kind: "damaged", what: "file that cannot be read in an archive", place: `${place}: ${error.message}` });
}

function isOfSystem({ cause }: CriaError): boolean {
  return typeof cause === "object" && cause !== null && "syscall" in cause;
}
