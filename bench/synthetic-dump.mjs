// A dump of a crawl that nobody crawled: WET files of any size, the same for the same seed, whose truth is known.
// `node bench/synthetic-dump.mjs --out FOLDER [--megabytes N] [--file-megabytes N] [--seed N] [--from I --to J]`
// Pages are made of the novels and the sentences in many languages of the data folder beside the checkout: passages from anywhere in
// them, one behind the other, so that languages and filters see what they know, and lines are new however large the dump. Every site has a menu and notices of its
// own on all of its pages; some pages are copies or near-copies of an earlier page anywhere in the dump, others lists, short, or no language. A page follows
// from its number alone, so that several processes can write the files of one dump.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gunzipSync, gzipSync } from "node:zlib";
import { Rng } from "../dist/base/index.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const data = process.env.CRIA_DATA ?? join(root, "../shared/data");

/** Pages per hundred in each language, about as Common Crawl has them. */
const languageShares = {
  ...{ en: 46, ru: 6, de: 6, ja: 5, zh: 5, fr: 5, es: 5, it: 3, nl: 2, pl: 2, pt: 2, cs: 2, vi: 1, tr: 1, ar: 1, uk: 1, sv: 1 },
  ...{ hu: 1, ro: 1, da: 1, ca: 1, bg: 1, sr: 1 },
};
/** Kinds of pages per hundred. A copy has the body of an earlier page, a near-copy all of it but some sentences. */
const kindShares = { prose: 58, copy: 3, nearCopy: 8, list: 13, short: 12, junk: 6 };
const pagesPerSite = 40;

/** Whether the texts that pages are made of are there. */
export function hasTexts() {
  return existsSync(join(data, "text/eltec-eng/eltec-eng.jsonl.gz")) && existsSync(join(data, "langid/lingua/de"));
}

/** Pages by their number. */
export class SyntheticPages {
  #seed;
  #walks = new Map();

  constructor(seed = 14) {
    this.#seed = seed;
  }

  /** What a page is: its kind, its language, and the number of the page that it copies, if any. */
  truth(number) {
    const rng = this.#rng(number, "truth");
    const kind = drawn(kindShares, rng);
    const isCopy = (kind === "copy" || kind === "nearCopy") && number > 0;
    if (!isCopy) return { kind: kind in { copy: 1, nearCopy: 1 } ? "prose" : kind, language: drawn(languageShares, rng) };
    const original = this.original(rng.below(number));
    return { kind, original, language: this.truth(original).language };
  }

  /** The page that a page is a copy of, which is none itself. */
  original(number) {
    return this.truth(number).original ?? number;
  }

  /** The page's address and text. */
  page(number) {
    const site = this.#rng(number, "site").below(1 + Math.floor(number / pagesPerSite));
    const { menu, notices } = this.#site(site);
    return { url: `https://www.site${site}.example/page/${number}`, text: [...menu, ...this.#body(number), ...notices].join("\n") };
  }

  #body(number) {
    const { kind, original, language } = this.truth(number);
    const rng = this.#rng(number, "body");
    const walk = this.#walk(language);
    if (kind === "copy") return this.#body(original);
    if (kind === "nearCopy") return this.#body(original).map((line) => (rng.below(8) === 0 ? `${line} ${walk.text(rng, 40)}` : line));
    if (kind === "list") return Array.from({ length: 10 + rng.below(60) }, (_, i) => `${i + 1}. ${walk.text(rng, 30).slice(0, 40)}`);
    if (kind === "short") return [walk.text(rng, 40 + rng.below(160))];
    if (kind === "junk") return junk(rng);
    return Array.from({ length: Math.ceil(3 * Math.exp(0.9 * rng.normal())) }, () => walk.text(rng, 60 + rng.below(900)));
  }

  #site(site) {
    const rng = this.#rng(site, "menu");
    const walk = this.#walk(drawn(languageShares, rng));
    const entries = Array.from({ length: 3 + rng.below(9) }, () => walk.text(rng, 10).slice(0, 24));
    return {
      menu: ["Home", "About us", "Contact", "Search", ...entries],
      notices: [
        `© 20${10 + (site % 15)} site${site}. All rights reserved.`,
        "Privacy policy",
        "This site uses cookies.",
        walk.text(rng, 80),
      ],
    };
  }

  #walk(language) {
    const known = this.#walks.get(language);
    if (known !== undefined) return known;
    const walk = new Walk(
      (language === "en" ? englishText() : sentencesOf(language)).replace(/\s+/g, " "),
      ["ja", "zh"].includes(language) ? "" : " ",
    );
    this.#walks.set(language, walk);
    return walk;
  }

  #rng(number, use) {
    let hash = Math.imul(this.#seed, 0x9e3779b1) ^ number;
    for (let i = 0; i < use.length; i++) hash = Math.imul(hash ^ use.charCodeAt(i), 0x85ebca6b);
    return new Rng(hash ^ (hash >>> 15));
  }
}

/** Walks over a text: passages of some words from anywhere in it, one behind the other, the first from the beginning of a sentence, the last to the end of one. */
class Walk {
  #text;
  /** Where sentences begin. */
  #starts;
  /** What stands between words; nothing where they are not parted. */
  #gap;

  constructor(text, gap) {
    this.#text = text;
    this.#gap = gap;
    this.#starts = Uint32Array.from(
      text.matchAll(/[.!?。！？]["”’»）)]?\s*(?=[\p{Lu}\p{Lo}])/gu),
      ({ index, 0: end }) => index + end.length,
    );
  }

  /** So many characters, and on to the end of a sentence. */
  text(rng, characters) {
    let start = this.#starts[rng.below(this.#starts.length)];
    let text = "";
    for (let left = characters; left > 200; ) {
      const end = this.#wordEnd(start + 60 + rng.below(140));
      text += this.#text.slice(start, end) + this.#gap;
      left -= end - start;
      start = this.#wordEnd(rng.below(this.#text.length - 1000)) + this.#gap.length;
    }
    return text + this.#text.slice(start, this.#sentenceEnd(start + 40)).trim();
  }

  #wordEnd(at) {
    if (this.#gap !== "") return Math.max(at, this.#text.indexOf(this.#gap, at));
    return isLowSurrogate(this.#text.charCodeAt(at)) ? at + 1 : at;
  }

  /** Where the first sentence behind a place begins, by halving. */
  #sentenceEnd(at) {
    let [low, high] = [0, this.#starts.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#starts[middle] < at) low = middle + 1;
      else high = middle;
    }
    return Math.max(at, this.#starts[low]);
  }
}

function isLowSurrogate(unit) {
  return unit >= 0xdc00 && unit < 0xe000;
}

function englishText() {
  const lines = gunzipSync(readFileSync(join(data, "text/eltec-eng/eltec-eng.jsonl.gz")))
    .toString()
    .split("\n")
    .filter(Boolean);
  return lines
    .slice(0, 30)
    .map((line) => JSON.parse(line).text)
    .join("\n");
}

function sentencesOf(language) {
  return readFileSync(join(data, "langid/lingua", language, "testdata/sentences.txt"), "utf8");
}

function junk(rng) {
  const symbols = "{}[]()<>#$%&*+=|\\/~^_;:,.-0123456789abcdefxyz";
  const line = () => Array.from({ length: 20 + rng.below(100) }, () => symbols[rng.below(symbols.length)]).join("");
  return Array.from({ length: 5 + rng.below(40) }, line);
}

function drawn(shares, rng) {
  let left = rng.below(Object.values(shares).reduce((sum, share) => sum + share, 0));
  for (const [name, share] of Object.entries(shares)) {
    if (left < share) return name;
    left -= share;
  }
}

/** A page as a record of a WET file. */
function record({ url, text }, number) {
  const head = [
    ...["WARC/1.0", "WARC-Type: conversion", `WARC-Target-URI: ${url}`, "WARC-Date: 2022-01-24T08:00:00Z"],
    ...[`WARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-${number.toString(16).padStart(12, "0")}>`],
    ...["Content-Type: text/plain", `Content-Length: ${Buffer.byteLength(text)}`],
  ];
  return `${head.join("\r\n")}\r\n\r\n${text}\r\n\r\n`;
}

/** Each file of a dump has so many pages, which follow from its number. */
const pagesPerMegabyte = 302;

/**
 * Writes the files of a dump, each of about `fileMegabytes` of text in gzip members of a page each.
 * @param from the first file that is written, `to` the one behind the last: parts for several processes
 * @returns the bytes of text and of files, and the pages
 */
export function writeDump(
  folder,
  { megabytes = 64, fileMegabytes = 16, seed = 14, from = 0, to = Math.ceil(megabytes / fileMegabytes) } = {},
) {
  mkdirSync(folder, { recursive: true });
  const pages = new SyntheticPages(seed);
  const written = { files: 0, pages: 0, bytes: 0, packedBytes: 0 };
  const inAll = Math.round(pagesPerMegabyte * megabytes);
  const inFile = Math.round(pagesPerMegabyte * fileMegabytes);
  for (let file = from; file < to; file++) {
    const info =
      "WARC/1.0\r\nWARC-Type: warcinfo\r\nContent-Type: application/warc-fields\r\nContent-Length: 20\r\n\r\nsoftware: synthetic\r\n\r\n\r\n";
    const members = [gzipSync(info)];
    for (let number = file * inFile; number < Math.min(inAll, (file + 1) * inFile); number++) {
      const text = record(pages.page(number), number);
      written.bytes += Buffer.byteLength(text);
      written.pages++;
      members.push(gzipSync(text, { level: 1 }));
    }
    const bytes = Buffer.concat(members);
    writeFileSync(join(folder, `synthetic-${String(file).padStart(5, "0")}.warc.wet.gz`), bytes);
    written.files++;
    written.packedBytes += bytes.length;
  }
  return written;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const options = {
    out: { type: "string" },
    megabytes: { type: "string" },
    "file-megabytes": { type: "string" },
    seed: { type: "string" },
  };
  const { values } = parseArgs({ options: { ...options, from: { type: "string" }, to: { type: "string" } } });
  if (values.out === undefined || !hasTexts()) {
    console.error(values.out === undefined ? "name a folder by --out" : `${data} lacks the texts that pages are made of`);
    process.exit(2);
  }
  const number = (name) => (values[name] === undefined ? undefined : Number(values[name]));
  const asked = {
    megabytes: number("megabytes"),
    fileMegabytes: number("file-megabytes"),
    seed: number("seed"),
    from: number("from"),
    to: number("to"),
  };
  const { files, pages, bytes, packedBytes } = writeDump(values.out, asked);
  console.log(`${files} files, ${pages} pages, ${(bytes / 1e6).toFixed(1)} MB of text in ${(packedBytes / 1e6).toFixed(1)} MB`);
}
