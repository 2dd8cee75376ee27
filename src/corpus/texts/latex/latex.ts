// Sources in LaTeX: a file with what it names beside it, or an archive of one source or of many, as arXiv gives them.
import { readFile, realpath } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { type ArchiveKind, archiveHeadBytes, archiveOf, readMembers } from "../archives/archive.ts";
import type { Member } from "../archives/member.ts";
import { tellDamaged } from "../archives/tell-damaged.ts";
import { copyPipe } from "../copy-pipe.ts";
import type { FormInput, TextDocument } from "../forms.ts";
import { gatherBytes } from "../gather-bytes.ts";
import { toLineFeeds } from "../line-ends.ts";
import { unpack } from "../open-bytes.ts";
import { Peeked } from "../peeked.ts";
import { decodeSource } from "./decode-source.ts";
import { isMain, type JoinedSource, joinSource } from "./join-source.ts";

/** What a source is made of; pictures, styles and data are not read. */
const isTeX = /\.(tex|ltx|latex|tikz|bbl|pgf|sty|txt)$/i;
/** arXiv's archives hold sources of one file without an ending, and names such as paper.tex-final. */
const isNameless = /(^|\/)[^.]+$/;
/** Bytes of the TeX files of a source, together, and of one file. */
const [mostSource, mostFile] = [2 ** 27, 2 ** 26];
/** Members that are sources by themselves. */
const isPacked = /\.(gz|tgz)$/i;

/**
 * One document per source, its files joined, with the name of its main `file` and the number of `files`. A file that is no main one is a part of another
 * and left out; so are sources without TeX. Memory: the TeX files of one source.
 */
export async function* readLatex(input: FormInput): AsyncGenerator<TextDocument> {
  if (input.archive !== undefined) return yield* readSources(input.archive, input);
  const own = await gatherBytes(input.bytes, mostFile);
  const text = own === undefined ? undefined : decoded(own, input, input.name);
  if (text === undefined) return leave(input, input.name, "file of more bytes than a LaTeX source has");
  if (!looksLikeTeX(text)) return leave(input, input.name, "file that is no LaTeX");
  if (input.path === undefined || input.root === undefined)
    return yield documentOf({ text, files: [input.name], missing: [] }, input, input.name);
  if (!isMain(text)) return leave(input, input.name, "part of another LaTeX source");
  const { root } = input;
  const main = relative(root, input.path).replaceAll(sep, "/");
  yield documentOf(await joinSource(main, (name) => (name === main ? Promise.resolve(text) : beside(root, name, input))), input, main);
}

/** The sources of an archive: one of its own TeX files, and one for each packed member. */
async function* readSources(kind: ArchiveKind, input: FormInput): AsyncGenerator<TextDocument> {
  const own = new Map<string, string>();
  let size = 0;
  for await (const member of readMembers(kind, input)) {
    const place = `${input.name}: ${member.name}`;
    if (isPacked.test(member.name)) yield* readPackedSource(member, input);
    else if (/\.pdf$/i.test(member.name)) leave(input, place, "PDF without its source");
    else if (isTeX.test(member.name) || isNameless.test(member.name)) {
      const bytes = await bytesOf(member, input, place);
      size += bytes.length;
      if (size > mostSource) leave(input, place, "file of more bytes than a LaTeX source has");
      else if (isText(bytes)) own.set(member.name, decoded(bytes, input, place));
    }
  }
  if (own.size > 0) yield* mainOf(own, input);
}

/** A member's bytes; none, and told, where it is damaged or too long. */
async function bytesOf({ bytes }: Member, input: FormInput, place: string): Promise<Uint8Array> {
  try {
    const all = await gatherBytes(bytes, mostFile);
    if (all !== undefined) return all;
    leave(input, place, "file of more bytes than a LaTeX source has");
  } catch (error) {
    tellDamaged(error, input, place);
  }
  return new Uint8Array();
}

/** A source within an archive of many; what is damaged in it is told, and the next one is read. */
async function* readPackedSource({ name, bytes }: Member, archive: FormInput): AsyncGenerator<TextDocument> {
  const place = `${archive.name}: ${name}`;
  try {
    const opened = await unpack(bytes, place, { where: archive.where });
    const unpacked = await Peeked.open(opened.bytes, archiveHeadBytes);
    const file = () => copyPipe(unpacked, archive.where);
    yield* readLatex({
      ...archive,
      ...opened,
      bytes: unpacked,
      archive: archiveOf(unpacked.head),
      name: place,
      path: undefined,
      root: undefined,
      file,
    });
  } catch (error) {
    tellDamaged(error, archive, place);
  }
}

/** The main file of a source joined: of those that may be compiled by themselves the one that gives the longest text. */
async function* mainOf(files: ReadonlyMap<string, string>, input: FormInput): AsyncGenerator<TextDocument> {
  const tex = [...files.keys()].filter((name) => !/\.(bbl|sty|txt)$/i.test(name)).sort();
  const mains = tex.filter((name) => isMain(files.get(name) ?? ""));
  const joined: (JoinedSource & { readonly main: string })[] = [];
  for (const main of mains.length > 0 ? mains : tex) joined.push({ main, ...(await joinSource(main, async (name) => files.get(name))) });
  const parts = new Set(joined.flatMap(({ main, files: names }) => names.filter((name) => name !== main)));
  const [longest, ...others] = joined.filter(({ main }) => !parts.has(main)).sort((a, b) => b.text.length - a.text.length);
  if (longest === undefined) return leave(input, input.name, "LaTeX source without a main file");
  for (const { main } of others) leave(input, `${input.name}: ${main}`, "further main file of a LaTeX source");
  yield documentOf(longest, input, longest.main);
}

function documentOf({ text, files, missing }: JoinedSource, { note, name }: FormInput, file: string): TextDocument {
  for (const [what, named] of missing) note({ kind: "left out", what, place: `${name}: ${named}` });
  return { text, facts: { file, files: files.length } };
}

function leave({ note }: FormInput, place: string, what: string): void {
  note({ kind: "left out", what, place });
}

/** A file of the folder that a main file was found in, and no other: a link may lead anywhere. */
async function beside(folder: string, name: string, input: FormInput): Promise<string | undefined> {
  const path = join(folder, ...name.split("/"));
  const [real, root] = await Promise.all([realpath(path).catch(() => undefined), realpath(folder)]);
  if (real === undefined || !real.startsWith(root + sep)) return undefined;
  const bytes = await readFile(real).catch(() => undefined);
  return bytes === undefined || bytes.length > mostFile || !isText(bytes) ? undefined : decoded(bytes, input, name);
}

function decoded(bytes: Uint8Array, { note }: FormInput, place: string): string {
  const { text, converted } = decodeSource(bytes);
  if (converted !== undefined) note({ kind: "converted", what: converted, place });
  return toLineFeeds(text);
}

function isText(bytes: Uint8Array): boolean {
  return !bytes.subarray(0, 1 << 16).includes(0);
}

/** PDF, PostScript and HTML stand in place of sources that their authors have not given. */
function looksLikeTeX(text: string): boolean {
  return !/^\s*(%PDF|%!PS|<!doctype|<html)/i.test(text) && !text.slice(0, 1 << 16).includes("\0") && text.includes("\\");
}
