// Files of source code from folders and archives, each with its language and its licence.
import { readdir, readFile, stat } from "node:fs/promises";
import { dirname, join, posix, relative, sep } from "node:path";
import { readStream } from "../../../files/index.ts";
import { type ArchiveKind, readMembers } from "../archives/archive.ts";
import { tellDamaged } from "../archives/tell-damaged.ts";
import { decodeText } from "../decode-text.ts";
import type { FormInput, TextDocument } from "../forms.ts";
import { gatherBytes } from "../gather-bytes.ts";
import { toLineFeeds } from "../line-ends.ts";
import { languageOf } from "./languages.ts";
import { licenceFile, licenceOfFile, ownLicence } from "./licences.ts";

/** Bytes of a file that people write; longer ones are data. */
const mostBytes = 2 ** 24;
const mostLicenceBytes = 2 ** 20;

/**
 * One document per file in a language that is known, with `file`, `code` (the language) and `licence`: what the file itself says, else what licence files in
 * its folder or the nearest one around it say. Memory: a file; a packed archive lies unpacked in a temporary file meanwhile, because it is read twice.
 */
export async function* readCode(input: FormInput): AsyncGenerator<TextDocument> {
  const { archive, bytes, path, root, name } = input;
  if (archive !== undefined) return yield* readTree(archive, input);
  const file = path === undefined || root === undefined ? name : relative(root, path).replaceAll(sep, "/");
  const around = path === undefined || root === undefined ? async () => undefined : () => licenceAround(dirname(path), root);
  yield* documentOf({ file, place: name, bytes, around }, input);
}

async function* readTree(kind: ArchiveKind, input: FormInput): AsyncGenerator<TextDocument> {
  await using file = await input.file();
  const again = () => ({
    ...input,
    bytes: readStream(file.path, { where: input.where }),
    file: async () => ({ path: file.path, [Symbol.asyncDispose]: async () => {} }),
  });
  const licences = await licencesOf(kind, again());
  for await (const { name, bytes } of readMembers(kind, again())) {
    const place = `${input.name}: ${name}`;
    try {
      yield* documentOf({ file: name, place, bytes, around: async () => nearest(licences, posix.dirname(name)) }, input);
    } catch (error) {
      tellDamaged(error, input, place);
    }
  }
}

/** What the licence files of each folder of an archive say. What else is to be told of the archive its second reading tells. */
async function licencesOf(kind: ArchiveKind, input: FormInput): Promise<ReadonlyMap<string, string>> {
  const licences = new Map<string, string>();
  for await (const { name, bytes } of readMembers(kind, { ...input, note: () => {} })) {
    if (!licenceFile.test(posix.basename(name))) continue;
    const text = await gatherBytes(bytes, mostLicenceBytes).catch(() => undefined); // what is damaged is told by the second reading
    const found = text === undefined ? undefined : licenceOfFile(Buffer.from(text).toString("latin1"));
    const folder = posix.dirname(name);
    if (found !== undefined) licences.set(folder, either(licences.get(folder), found));
  }
  return licences;
}

function nearest(licences: ReadonlyMap<string, string>, folder: string): string | undefined {
  const found = licences.get(folder);
  return found !== undefined || folder === "." || folder === "/" ? found : nearest(licences, posix.dirname(folder));
}

/** Several licence files side by side are a choice, as LICENSE-MIT and LICENSE-APACHE are. */
function either(one: string | undefined, other: string): string {
  const wrapped = (text: string) => (text.includes(" AND ") ? `(${text})` : text);
  return one === undefined ? other : `${wrapped(one)} OR ${wrapped(other)}`;
}

interface CodeFile {
  /** Its path in the tree. */
  readonly file: string;
  readonly place: string;
  readonly bytes: AsyncIterable<Uint8Array>;
  /** The licence that files around it say. */
  around(): Promise<string | undefined>;
}

async function* documentOf({ file, place, bytes, around }: CodeFile, input: FormInput): AsyncGenerator<TextDocument> {
  const leave = (what: string) => input.note({ kind: "left out", what, place });
  const all = await gatherBytes(bytes, mostBytes);
  if (all === undefined) return leave("file of more bytes than people write");
  if (all.includes(0)) return leave("binary file");
  const language = languageOf(file, Buffer.from(all.subarray(0, 256)).toString("latin1"));
  if (language === undefined) return leave("file in no known language of code");
  const parts: string[] = [];
  for await (const part of decodeText({ ...input, name: place, start: 0, packing: undefined, bytes: once(all) }, input.where))
    parts.push(part);
  const text = toLineFeeds(parts.join(""));
  yield { text, facts: { file, code: language, licence: ownLicence(text) ?? (await around()) } };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** What licence files say, by their path and what says that they are the same still; many files of code have the same ones around them. */
const seen = new Map<string, string | undefined>();
const mostSeen = 10_000;

/** The licence of the nearest folder that has one, up to the one that was named. */
async function licenceAround(folder: string, root: string): Promise<string | undefined> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => licenceFile.test(name)).sort();
  let found: string | undefined;
  for (const name of names) {
    const licence = await licenceAt(join(folder, name));
    if (licence !== undefined) found = either(found, licence);
  }
  const isRoot = relative(root, folder) === "" || relative(root, folder).startsWith("..");
  return found ?? (isRoot ? undefined : licenceAround(dirname(folder), root));
}

async function licenceAt(path: string): Promise<string | undefined> {
  const stats = await stat(path).catch(() => undefined);
  if (stats === undefined || !stats.isFile() || stats.size > mostLicenceBytes) return undefined;
  const key = `${path}:${stats.size}:${stats.mtimeMs}`;
  if (seen.has(key)) return seen.get(key);
  const found = licenceOfFile(await readFile(path, "latin1"));
  if (seen.size >= mostSeen) seen.clear();
  seen.set(key, found);
  return found;
}
