// One file's documents: its packing undone, its members taken one after another where it is an archive, each read by its form.
import { fail } from "../../base/index.ts";
import type { ByteRange } from "../../files/index.ts";
import { type ArchiveKind, archiveHeadBytes, archiveOf, readMembers } from "./archives/archive.ts";
import type { Member } from "./archives/member.ts";
import { tellDamaged } from "./archives/tell-damaged.ts";
import { copyPipe, type PipeCopy } from "./copy-pipe.ts";
import {
  type FormInput,
  formCalled,
  formOfName,
  type ReadingNote,
  type TextDocument,
  type TextFacts,
  type TextForm,
  type TextOptions,
} from "./forms.ts";
import { openBytes, type Packing, unpack } from "./open-bytes.ts";
import { Peeked } from "./peeked.ts";

/** What a reading of documents tells, and what stops it. */
export interface DocumentsOptions {
  readonly signal?: AbortSignal | undefined;
  /** Is told how many bytes of the files each read took; their sum is `Texts.bytes` in the end. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
  /** Is told what readers pass over, leave out or convert. Where nobody asks for it, damaged data and other encodings than UTF-8 stop the reading. */
  readonly onNote?: ((note: ReadingNote) => void) | undefined;
}

/** How one file is read, and who asks. */
export type ReadFileOptions = DocumentsOptions & { readonly where: string; readonly range?: ByteRange };

/** A file to be read. */
export interface ReadableFile {
  readonly path: string;
  /** What messages call it. */
  readonly name: string;
  readonly form: TextForm;
  /** The folder that it was found in: what it names beside itself is looked for in there alone. */
  readonly root?: string | undefined;
}

const noFacts: TextFacts = {};

/** The documents of one file, or of a range of it that begins and ends with lines, where its form may be cut so. */
export async function* readTextDocuments(file: ReadableFile, text: TextOptions, options: ReadFileOptions): AsyncGenerator<TextDocument> {
  const { where, signal, onBytes } = options;
  const { path, name, form, root } = file;
  const isGrouped = form.cutsAtGroups === true; // its groups are found from the end of the file, whatever stretch is asked for
  const range = isGrouped ? undefined : options.range;
  const opened = await openBytes(path, name, {
    where,
    signal,
    onBytes: isGrouped ? undefined : onBytes,
    range,
    keepsGzip: form.unpacksGzip,
  });
  const reading = new Reading(form, text, options);
  const isWhole = opened.packing === undefined && range === undefined;
  try {
    for await (const document of reading.documents({ ...opened, name, root, path: isWhole ? path : undefined })) {
      signal?.throwIfAborted();
      if (document.text.trim() !== "") yield document;
    }
  } finally {
    await opened.close();
  }
}

/** The texts of {@link readTextDocuments}. */
export async function* readDocuments(file: ReadableFile, text: TextOptions, options: ReadFileOptions): AsyncGenerator<string> {
  for await (const document of readTextDocuments(file, text, options)) yield document.text;
}

/** A file or a member of an archive, open. */
interface Open {
  readonly name: string;
  readonly packing: Packing;
  readonly start: number;
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Where the bytes lie as they are, if they lie anywhere. */
  readonly path: string | undefined;
  readonly root?: string | undefined;
  readonly archive?: ArchiveKind | undefined;
}

/** Reads one file, and the members that it may have. */
class Reading {
  readonly #form: TextForm;
  readonly #text: TextOptions;
  readonly #options: ReadFileOptions;
  readonly #note: FormInput["note"];

  constructor(form: TextForm, text: TextOptions, options: ReadFileOptions) {
    [this.#form, this.#text, this.#options] = [form, text, options];
    const { onNote, where } = options;
    this.#note = onNote ?? ((told) => refuseDamage(told, where));
  }

  async *documents(open: Open): AsyncGenerator<TextDocument> {
    if (this.#form.unpacksGzip && open.packing === "gzip") return yield* this.#read(this.#form, this.#input(open));
    const bytes = await Peeked.open(open.bytes, archiveHeadBytes);
    const archive = archiveOf(bytes.head);
    const input = this.#input({ ...open, bytes, archive });
    if (archive === undefined || this.#form.readsArchives) return yield* this.#read(this.#form, input);
    for await (const member of readMembers(archive, input)) yield* this.#member(member, input);
  }

  #input(open: Open): FormInput {
    const { where, onNote, range, onBytes } = this.#options;
    const grouped = this.#form.cutsAtGroups === true && { groups: range, onBytes };
    return {
      ...grouped,
      ...open,
      where,
      options: this.#text,
      note: this.#note,
      isCounted: onNote !== undefined,
      file: () => fileOf(open, where),
    };
  }

  async *#read(form: TextForm, input: FormInput): AsyncGenerator<TextDocument> {
    for await (const read of form.read(input)) yield typeof read === "string" ? { text: read, facts: noFacts } : read;
  }

  /** A member that cannot be read is passed over and told; where nobody counts, and where the disk fails, the reading ends. */
  async *#member({ name, bytes }: Member, archive: FormInput): AsyncGenerator<TextDocument> {
    const form = this.#formOfMember(name);
    const whole = `${archive.name}: ${name}`;
    const leave = (what: string) => this.#note({ kind: "left out", what, place: whole });
    if (form === undefined) return leave("file of no known form in an archive");
    if (form.name === "archive") return leave("archive in an archive");
    try {
      const opened = await unpack(bytes, whole, { where: archive.where, keepsGzip: form.unpacksGzip });
      const input = this.#input({ ...opened, start: 0, name: whole, path: undefined });
      for await (const { text, facts } of this.#read(form, input)) yield { text, facts: { file: name, ...facts } };
    } catch (error) {
      tellDamaged(error, archive, whole);
    }
  }

  /** The form that was asked for, or that of the member's name. */
  #formOfMember(name: string): TextForm | undefined {
    const { format } = this.#text;
    return format === undefined || format === "archive" ? formOfName(name) : formCalled(format);
  }
}

/** Bytes that lie in no file of their own are copied to a temporary one. */
async function fileOf({ path, bytes }: Open, where: string): Promise<Pick<PipeCopy, "path" | typeof Symbol.asyncDispose>> {
  return path === undefined ? copyPipe(bytes, where) : { path, [Symbol.asyncDispose]: async () => {} };
}

function refuseDamage({ kind, what, place }: ReadingNote, where: string): void {
  if (kind === "damaged")
    fail(
      where,
      `${place}: ${what}: mend the file, or give its source "steps: []" in a recipe, which passes over what is damaged and counts it`,
    );
}
