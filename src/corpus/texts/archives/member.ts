// What archives of all kinds give: members, one after another.
import type { ReadingNote } from "../forms.ts";

/** A file in an archive. */
export interface Member {
  /** Its path inside, with "/" between folders. */
  readonly name: string;
  /** Its bytes, to be read before the next member is asked for. @throws CriaError while they are read, where they are damaged or cut short */
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** Is told what an archive holds that is no member. */
export type OnMemberNote = (kind: ReadingNote["kind"], what: string, name: string) => void;

/** Why a name is not taken: archives are read in place, but what other programs would write elsewhere is not meant as a text. */
export function refusedName(name: string): string | undefined {
  const parts = name.split(/[\\/]/);
  if (/^([\\/]|[a-z]:)/i.test(name) || parts.includes("..")) return "path outside of the archive's folder";
  return parts.some((part) => part.startsWith(".") && part !== ".") || parts[0] === "__MACOSX" ? "hidden file" : undefined;
}
