// Archives by their first bytes, whatever their names end in.
import type { FormInput } from "../forms.ts";
import type { Member, OnMemberNote } from "./member.ts";
import { isSevenZip } from "./seven-zip.ts";
import { isTar, readTar, tarHeadBytes } from "./tar.ts";
import { isZip, readZip } from "./zip.ts";

/** A kind of archive. */
export type ArchiveKind = "tar" | "zip" | "7z";

/** Bytes that tell an archive. */
export const archiveHeadBytes = tarHeadBytes;

/** The kind of archive that bytes begin as; undefined for anything else. @param head the first {@link archiveHeadBytes} where there are as many */
export function archiveOf(head: Uint8Array): ArchiveKind | undefined {
  if (isZip(head)) return "zip";
  if (isSevenZip(head)) return "7z";
  return isTar(head) ? "tar" : undefined;
}

/** The files of an archive; what it holds beside files is told. @throws CriaError where nothing of it can be read */
export async function* readMembers(kind: ArchiveKind, input: FormInput): AsyncGenerator<Member> {
  const { name, where } = input;
  const note: OnMemberNote = (of, what, member) => input.note({ kind: of, what: `${what} in an archive`, place: `${name}: ${member}` });
  if (kind === "tar") return yield* readTar(input.bytes, name, where, note);
  await using file = await input.file();
  if (kind === "zip") yield* readZip(file.path, name, where, note);
  else yield* (await import("./unpack-seven-zip.ts")).readSevenZip(file.path, name, where, note);
}
