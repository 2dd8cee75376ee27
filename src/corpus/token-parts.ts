// Token shards by tasks: each makes those of some files of one source, with the held-out texts beside them, and the last step makes one folder of what all
// of them made. A task's description is the file that says it is done; its folder is named by a hash of all that the source's tokens depend on.
//
//   FOLDER/tokens-ID/007/00712-00000.tokens, .origins, …   the shards of task 712
//                        00712.held-out.jsonl              what is held out of its files
//                        00712.json                        counts, names and SHA-256 of these, and a checksum of itself; written last
import { createHash } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { check } from "../base/index.ts";
import type { TextTokenizer } from "../batches/index.ts";
import {
  atomicWrite,
  type HashOptions,
  hashFile,
  linkOrCopy,
  makeFolder,
  readCheckedJson,
  readStream,
  writeCheckedJson,
} from "../files/index.ts";
import { parseWith } from "../schema/index.ts";
import type { Corpus } from "./corpus.ts";
import { filesOf, type Manifest } from "./manifest.ts";
import { checkBoundaries, checkUnused, type PrepareOptions, preparedFolder, splitSides } from "./prepare.ts";
import { heldOutName } from "./recipe.ts";
import {
  describeHeldOut,
  describeSource,
  encoderOf,
  HeldOutFile,
  heldOutText,
  type TokenJob,
  type WrittenTokens,
  writeSides,
} from "./write-tokens.ts";

const where = "data";
const tasksPerFolder = 100;

/** Some files of a source, whose documents one task makes tokens of. */
export interface TokenPart {
  /** The index of the source. */
  readonly source: number;
  /** The first file, and the one behind the last. */
  readonly first: number;
  readonly end: number;
  readonly bytes: number;
}

/** All files of a corpus in parts of so many bytes, about; the same on every machine. */
export function tokenParts(corpus: Corpus, partBytes: number): readonly TokenPart[] {
  const parts: TokenPart[] = [];
  for (const [source, { texts }] of corpus.sources.entries()) {
    let [first, bytes] = [0, 0];
    for (const [i, file] of texts.files.entries()) {
      bytes += file.bytes;
      const isLast = i === texts.files.length - 1;
      if (bytes < partBytes && !isLast) continue;
      parts.push({ source, first, end: i + 1, bytes });
      [first, bytes] = [i + 1, 0];
    }
  }
  return parts;
}

/** How the parts of a corpus become tokens. */
export interface TokenPartsOptions extends Pick<PrepareOptions, "progress" | "signal"> {
  /** The folder for what tasks make of each source. Another tokenizer, or another way to hold out, has a folder of its own in it. */
  readonly folders: readonly string[];
  readonly parts: readonly TokenPart[];
  readonly threads?: number | undefined;
  /** What else the tokens of each source follow from, such as when files were changed. */
  readonly identities: readonly unknown[];
}

/** A text that tokenizers of the same pieces would cut in different ways, if there is one that they do. */
const probe = "It costs 1,234.50 €, İstanbul’da  or\n\tnot; `x_i += 0x1F`. Ἐν ἀρχῇ 日本語のﾃｷｽﾄ 👩‍🌾 naïve NAÏVE don't";

const counts = { documents: z.int(), bytes: z.int(), tokens: z.int(), shards: z.array(z.string()), origins: z.array(z.string()) };
const descriptionSchema = z.strictObject({ version: z.literal(1), ...counts, checksums: z.record(z.string(), z.string()) });
type Description = z.output<typeof descriptionSchema>;

/** The tasks that make tokens of a corpus, and the step that joins what they made. */
export class TokenParts implements AsyncDisposable {
  readonly #job: TokenJob;
  readonly #options: TokenPartsOptions;
  readonly #settings: object;
  /** What the files of each part's task begin with; once it is known what is held out. */
  #prefixes: Promise<readonly string[]> | undefined;

  /** @throws CriaError where the recipe's boundaries are not the tokenizer's */
  constructor(corpus: Corpus, tokenizer: TextTokenizer, options: TokenPartsOptions) {
    const { recipe } = corpus;
    checkBoundaries(recipe, tokenizer);
    const expected = options.parts.reduce((sum, { bytes }) => sum + bytes, 0);
    this.#job = { corpus, ...encoderOf(corpus, tokenizer, expected, options.threads), progress: options.progress, signal: options.signal };
    this.#options = options;
    const { heldOut, boundaries, shardTokens } = recipe;
    const probed = Array.from(tokenizer.encode(probe, { bos: false, eos: false }));
    this.#settings = { vocabulary: this.#job.vocabulary, probed, heldOut, boundaries, shardTokens };
  }

  get parts(): readonly TokenPart[] {
    return this.#options.parts;
  }

  /** What each task makes last, which follows from the texts: they must be there. */
  async files(): Promise<readonly string[]> {
    return (await this.#prefixesOnce()).map((prefix) => `${prefix}.json`);
  }

  /** Does one task: afterwards its file is there. */
  async run(part: number): Promise<void> {
    const prefix = (await this.#prefixesOnce())[part]!;
    const { source, first, end } = this.#options.parts[part]!;
    const { corpus } = this.#job;
    const texts = await corpus.sources[source]!.texts.slice(first, end).measured();
    await makeFolder(dirname(prefix), where);
    const hasHeldOut = corpus.recipe.heldOut > 0;
    await using heldOut = hasHeldOut ? await HeldOutFile.open(heldOutOf(prefix)) : undefined;
    const written = await writeSides(this.#job, { prefix, source, texts }, heldOut);
    await heldOut?.finish();
    const checksums: Record<string, string> = {};
    for (const name of [...written.shards, ...written.origins, ...(hasHeldOut ? [basename(heldOutOf(prefix))] : [])])
      checksums[name] = await hashFile(join(dirname(prefix), name), where, this.#job);
    await writeCheckedJson(`${prefix}.json`, { version: 1, ...written, checksums }, where);
  }

  /** Makes one folder of what all tasks made, which appears when it is whole. @throws CriaError as `prepareCorpus` does */
  async join(outDir: string, more?: PrepareOptions["more"]): Promise<Manifest> {
    await checkUnused(outDir);
    return preparedFolder(outDir, { signal: this.#options.signal, more }, (folder) => this.#fill(folder));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#job.encoder[Symbol.asyncDispose]();
  }

  async #fill(folder: string): Promise<Manifest> {
    const { corpus, vocabulary } = this.#job;
    const { recipe } = corpus;
    const sources: Manifest["sources"] = [];
    const checksums: Record<string, string> = {};
    for (const source of recipe.sources.keys())
      sources.push(await describeSource(this.#job, source, await this.#placeSource(source, folder, checksums)));
    const heldOut = recipe.heldOut > 0 ? { heldOut: await this.#joinHeldOut(folder) } : {};
    const manifest: Manifest = { version: 1, vocabulary, boundaries: recipe.boundaries, sources, ...heldOut };
    const names = filesOf(manifest);
    for (const name of names) checksums[name] ??= await hashFile(join(folder, name), where, this.#job);
    return { ...manifest, checksums: Object.fromEntries(names.map((name) => [name, checksums[name]!])) };
  }

  /** The shards of all tasks of a source, numbered one after the other. */
  async #placeSource(source: number, folder: string, checksums: Record<string, string>): Promise<WrittenTokens> {
    const { name } = this.#job.corpus.sources[source]!;
    const all = { documents: 0, bytes: 0, tokens: 0, shards: [] as string[], origins: [] as string[] };
    const prefixes = await this.#prefixesOnce();
    for (const [part, { source: of }] of this.#options.parts.entries()) {
      if (of !== source) continue;
      const prefix = prefixes[part]!;
      const made = await readMade(prefix, this.#job);
      for (const key of ["documents", "bytes", "tokens"] as const) all[key] += made[key];
      for (const [i, shard] of made.shards.entries()) {
        const placed = `${name}-${String(all.shards.length).padStart(5, "0")}`;
        const place = async (from: string, ending: string) => {
          await linkOrCopy(join(dirname(prefix), from), join(folder, `${placed}.${ending}`), where);
          checksums[`${placed}.${ending}`] = made.checksums[from]!;
        };
        await place(shard, "tokens");
        all.shards.push(`${placed}.tokens`);
        const origins = made.origins[i];
        if (origins === undefined) continue;
        await place(origins, "origins");
        all.origins.push(`${placed}.origins`);
      }
    }
    return all;
  }

  async #joinHeldOut(folder: string): Promise<NonNullable<Manifest["heldOut"]>> {
    await atomicWrite(join(folder, heldOutText), this.#heldOutLines(), where);
    return describeHeldOut(this.#job, folder);
  }

  async *#heldOutLines(): AsyncGenerator<Uint8Array> {
    for (const prefix of await this.#prefixesOnce()) yield* readStream(heldOutOf(prefix), { where });
  }

  #prefixesOnce(): Promise<readonly string[]> {
    this.#prefixes ??= this.#findPrefixes();
    return this.#prefixes;
  }

  /** What is held out follows from the first documents of all sources, and so is the same on every machine. */
  async #findPrefixes(): Promise<readonly string[]> {
    const { corpus } = this.#job;
    const { folders, parts, identities } = this.#options;
    await splitSides(corpus, this.#options);
    const { sources: splits, moved } = await corpus.split();
    const made = folders.map((folder, source) => {
      const own = parts.filter((part) => part.source === source).map(({ first, end, bytes }) => [first, end, bytes]);
      const settings = { ...this.#settings, moved, split: splits[source], parts: own, identity: identities[source] };
      return join(folder, `tokens-${createHash("sha256").update(JSON.stringify(settings)).digest("hex").slice(0, 12)}`);
    });
    const first = corpus.sources.map((_, source) => parts.findIndex((part) => part.source === source));
    return parts.map(({ source }, part) => {
      const number = part - first[source]!;
      return join(made[source]!, String(Math.floor(number / tasksPerFolder)).padStart(3, "0"), String(number).padStart(5, "0"));
    });
  }
}

/** What a task says that it made. @throws CriaError where that, or a file of it, is not what the task has written */
async function readMade(prefix: string, options: HashOptions): Promise<Description> {
  const path = `${prefix}.json`;
  const made = parseWith(descriptionSchema, await readCheckedJson(path, where, againWithout("it")), where, path);
  for (const [name, written] of Object.entries(made.checksums)) {
    const file = join(dirname(path), name);
    const found = await hashFile(file, where, options);
    check(
      found === written,
      where,
      () => `${file}: its bytes have the SHA-256 ${found}, but were written with ${written}: ${againWithout(path)}`,
    );
  }
  return made;
}

function heldOutOf(prefix: string): string {
  return `${prefix}.${heldOutName}.jsonl`;
}

function againWithout(path: string): string {
  return `remove ${path}, and run the command again, which makes it anew`;
}
