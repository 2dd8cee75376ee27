// The public inputs of the paper's data, by the addresses that their hosts publish: one row each, and what is not fetched from its host.
import { gunzipSync } from "node:zlib";
import { parse } from "csv-parse/sync";
import { check, fail, isObject, parseJson } from "../base/index.ts";
import { isRelative } from "./hub-name.ts";

const where = "data get";
/** Bytes of a list when it is unpacked: the paths of a crawl have 15 MB, Project Gutenberg's catalogue some 20 MB. */
const mostListBytes = 2 ** 28;

/** A file that a host publishes. */
export interface PublicFile {
  /** Where it is, from the host's root on. */
  readonly address: string;
  /** The name of the file that it becomes. */
  readonly name: string;
  /** Undefined where the list does not tell it: then the host is asked. */
  readonly bytes: number | undefined;
  /** SHA-1 as its host publishes it, in hexadecimal digits; undefined where it publishes none. */
  readonly sha1: string | undefined;
}

/** Which files of an input are wanted. */
export interface PublicChoice {
  /** The name of a crawl, such as CC-MAIN-2022-05. */
  readonly dump?: string | undefined;
  /** A code such as en. */
  readonly language?: string | undefined;
  /** Eight digits, such as 20220101. */
  readonly date?: string | undefined;
  /** Files of the list by their numbers, from 0, the last one included. */
  readonly shards?: { readonly first: number; readonly last: number } | undefined;
}

/** Reads a list of a host. @param address from the host's root on */
type ReadList = (address: string) => Promise<Uint8Array>;

/** An input that its host gives to everybody. */
export interface PublicInput {
  readonly name: string;
  readonly summary: string;
  /** The address of the host; mirrors have the same paths below theirs. */
  readonly host: string;
  /** Where the host documents its addresses. */
  readonly source: string;
  /** What a choice must say. */
  readonly needs: readonly (keyof PublicChoice)[];
  /** What a choice may say beside that. */
  readonly takes: readonly (keyof PublicChoice)[];
  /** The pattern of its files in a recipe. */
  readonly pattern: string;
  /** @throws CriaError where the list is none, or has less than is wanted */
  list(choice: PublicChoice, read: ReadList): Promise<readonly PublicFile[]>;
}

const commonCrawl: PublicInput = {
  name: "common-crawl",
  summary: "the texts of a crawl's pages (WET), about 80,000 files of 100 MB",
  host: "https://data.commoncrawl.org",
  source: "https://commoncrawl.org/get-started",
  needs: ["dump", "shards"],
  takes: [],
  pattern: "*.warc.wet.gz",
  async list({ dump = "", shards }, read) {
    check(
      /^CC-MAIN-\d{4}(-\d{2,4})+$/.test(dump),
      where,
      () => `dump is "${dump}" but must be the name of a crawl, such as CC-MAIN-2022-05`,
    );
    const text = await textAt(`crawl-data/${dump}/wet.paths.gz`, read);
    const paths = text.split("\n").filter((line) => line.trim() !== "");
    return chosen(paths, shards).map((path) => ({ address: path.trim(), name: lastName(path.trim()), bytes: undefined, sha1: undefined }));
  },
};

const wikipedia: PublicInput = {
  name: "wikipedia",
  summary: "the articles of a language's Wikipedia; hosts keep the dumps of some months",
  host: "https://dumps.wikimedia.org",
  source: "https://meta.wikimedia.org/wiki/Data_dumps/Status_format",
  needs: ["language", "date"],
  takes: [],
  pattern: "*-pages-articles.xml.bz2",
  async list({ language = "", date = "" }, read) {
    check(/^[a-z]{2,}(-[a-z]+)*$/.test(language), where, () => `language is "${language}" but must be a code of Wikipedia's, such as en`);
    check(/^\d{8}$/.test(date), where, () => `date is "${date}" but must be that of a dump in eight digits, such as 20220101`);
    const wiki = `${language.replaceAll("-", "_")}wiki`;
    const place = `${wiki}/${date}/dumpstatus.json`;
    const status = objectIn(parseJson(where, place, await textAt(place, read), "name another date"), "jobs");
    // Large dumps come in parts, which a later job joins to one file; small ones have the one file alone.
    const name = `${wiki}-${date}-pages-articles.xml.bz2`;
    for (const job of ["articlesdumprecombine", "articlesdump"]) {
      const found = objectIn(objectIn(objectIn(status, job), "files"), name);
      if (typeof found.size === "number" && typeof found.sha1 === "string")
        return [{ address: `${wiki}/${date}/${name}`, name, bytes: found.size, sha1: found.sha1 }];
    }
    return fail(where, `${place}: ${name} is not among its files: the dump is not done, name an earlier date`);
  },
};

const gutenberg: PublicInput = {
  name: "gutenberg",
  summary: "Project Gutenberg's books in a language as plain texts, in the order of their numbers",
  host: "https://www.gutenberg.org",
  source:
    "https://www.gutenberg.org/ebooks/offline_catalogs.html; programs that take many books are asked to take them of a mirror: https://www.gutenberg.org/policy/robot_access.html",
  needs: ["language", "shards"],
  takes: [],
  pattern: "pg*.txt",
  async list({ language = "", shards }, read) {
    const place = "cache/epub/feeds/pg_catalog.csv.gz";
    const text = await textAt(place, read);
    const rows: Record<string, string>[] = unpacked(place, () => parse(text, { columns: true, relax_column_count: true }));
    const isWanted = (row: Record<string, string>) =>
      row.Type === "Text" && (row.Language ?? "").split(/; */).includes(language) && /^\d+$/.test(row["Text#"] ?? "");
    const numbers = rows
      .filter(isWanted)
      .map((row) => Number(row["Text#"]))
      .sort((a, b) => a - b);
    return chosen(numbers, shards).map((id) => ({
      address: `cache/epub/${id}/pg${id}.txt`,
      name: `pg${id}.txt`,
      bytes: undefined,
      sha1: undefined,
    }));
  },
};

/** LLaMA takes the 28 largest sites (section 2.1). */
const largestSites = { first: 0, last: 27 };

const stackExchange: PublicInput = {
  name: "stack-exchange",
  summary: "the posts of Stack Exchange's sites, the largest first; the 28 that the paper takes unless others are named",
  host: "https://archive.org",
  source: "https://archive.org/details/stackexchange; https://archive.org/developers/md-read.html",
  needs: [],
  takes: ["shards"],
  pattern: "*.7z",
  async list({ shards = largestSites }, read) {
    const place = "metadata/stackexchange";
    const found = objectIn({ list: parseJson(where, place, await textAt(place, read), "try again later") }, "list").files;
    const files = (Array.isArray(found) ? found : []).flatMap((file: unknown): PublicFile[] => {
      if (!isObject(file) || typeof file.name !== "string" || !isSite(file.name)) return [];
      const { name, sha1 } = file;
      return [
        { address: `download/stackexchange/${name}`, name, bytes: Number(file.size), sha1: typeof sha1 === "string" ? sha1 : undefined },
      ];
    });
    return chosen(
      files.sort((a, b) => (b.bytes ?? 0) - (a.bytes ?? 0) || (a.name < b.name ? -1 : 1)),
      shards,
    );
  },
};

/** A site's archive; of a site that comes in several, that of its posts. Pages about a site are none of its own. */
function isSite(name: string): boolean {
  return /^[\w.-]+\.7z$/.test(name) && !/(^|\.)meta\./.test(name) && (!name.includes(".com-") || name.includes("-Posts"));
}

/** The inputs that can be fetched. */
export const publicInputs: readonly PublicInput[] = [commonCrawl, wikipedia, gutenberg, stackExchange];

/** Inputs of the paper that are not fetched from their hosts, why, and what to do. */
export const notToBeHad: Readonly<Record<string, string>> = {
  arxiv:
    "arXiv gives its sources in bulk from a bucket alone whose reader pays for the transfer (https://info.arxiv.org/help/bulk_data_s3.html): aws s3 cp --request-payer requester s3://arxiv/src/ arxiv/ --recursive; single papers a recipe reads by their addresses, as in paths: https://export.arxiv.org/e-print/2302.13971 with format: latex",
  books3:
    "Books3 was withdrawn, and nobody gives it: recipes/llama.yaml takes Project Gutenberg's books alone, which the input gutenberg lists",
  c4: "C4 is on Hugging Face's hub: a recipe reads it by its name, as in paths: hf:datasets/allenai/c4:en/*.json.gz",
  github:
    "the public dump that the paper takes is a table of BigQuery (bigquery-public-data.github_repos), whose queries are paid for: export it as JSON Lines, or take archives of repositories",
};

async function textAt(address: string, read: ReadList): Promise<string> {
  const bytes = await read(address);
  const isPacked = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return new TextDecoder().decode(isPacked ? unpacked(address, () => gunzipSync(bytes, { maxOutputLength: mostListBytes })) : bytes);
}

/** What packages make of a list. @throws CriaError in the place of their errors */
function unpacked<T>(address: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    return fail(where, `${address}: it is no list as its host writes it (${(error as Error).message}): try again later, or name a mirror`, {
      cause: error,
    });
  }
}

function objectIn(value: unknown, key: string): Record<string, unknown> {
  const found = isObject(value) ? value[key] : undefined;
  return isObject(found) ? found : {};
}

function chosen<T>(all: readonly T[], shards: PublicChoice["shards"]): readonly T[] {
  if (shards === undefined) return all;
  check(
    shards.last < all.length,
    where,
    () => `shards are ${shards.first} to ${shards.last}, but the list has ${all.length} files, from 0: name fewer`,
  );
  return all.slice(shards.first, shards.last + 1);
}

function lastName(path: string): string {
  const name = path.split("/").at(-1) ?? "";
  check(isRelative(name), where, () => `the list names "${path}", which is no file's name: try again later`);
  return name;
}
