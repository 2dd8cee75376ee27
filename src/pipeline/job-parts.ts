// Parts of a source as its tasks read them: stretches of large files, files, or small files taken together, because a task writes some ten files, which takes
// longer than reading a small one.
import type { TextPart } from "../corpus/index.ts";

/** A part of a source: a stretch of a file, a file, or the files up to `end`, which is not among them. */
export interface JobPart extends TextPart {
  readonly end?: number | undefined;
}

/** A source has so many parts where it has as many files, for threads, machines and groups that are compared by themselves. */
const fewestParts = 64;

/** Takes neighbouring small files together. @param stretchBytes of a part, at most */
export function gatherParts(parts: readonly TextPart[], stretchBytes: number): readonly JobPart[] {
  const mostFiles = Math.floor(parts.length / fewestParts);
  const gathered: JobPart[] = [];
  for (const part of parts) {
    const last = gathered.at(-1);
    if (last !== undefined && areSmall(last, part, stretchBytes) && part.file - last.file < mostFiles)
      gathered[gathered.length - 1] = { file: last.file, end: part.file + 1, bytes: last.bytes + part.bytes };
    else gathered.push(part);
  }
  return gathered;
}

function areSmall(a: TextPart, b: TextPart, bytes: number): boolean {
  return a.stretch === undefined && b.stretch === undefined && a.bytes + b.bytes <= bytes;
}

/** The indices of a part's files. */
export function filesOfPart({ file, end = file + 1 }: JobPart): readonly number[] {
  return Array.from({ length: end - file }, (_, i) => file + i);
}
