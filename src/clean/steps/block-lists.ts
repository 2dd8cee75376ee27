// Documents that a list names: by the address that they are from, or by a word that they hold.
import { z } from "zod";
import { check, decodeUtf8 } from "../../base/index.ts";
import { type StepFiles, stepRow } from "../step.ts";

const where = "data";

/** Entries of a list, one per line; empty lines and those that begin with "#" are none. */
async function entriesOf(files: StepFiles, path: string | undefined): Promise<readonly string[]> {
  if (path === undefined) return [];
  const text = decodeUtf8(await files.read(path), path, where);
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

/** Entries in small letters, as the parts of addresses are compared. */
async function smallEntriesOf(files: StepFiles, path: string | undefined): Promise<readonly string[]> {
  return (await entriesOf(files, path)).map((entry) => entry.toLowerCase());
}

/** What stands between the words of an address. */
const marks = /[^a-z0-9]+/;

/** Block lists of hosts and addresses. */
export const blockUrls = stepRow({
  name: "blockUrls",
  summary: "drops documents from hosts and addresses of a list",
  source: "datatrove 0.10.1, url_filter.py; the lists of the University of Toulouse (UT1) have this form",
  deeds: ["drops"],
  reasons: { host: "is from a host of the list", url: "is from an address of the list", word: "its address has a word of the list" },
  parameters: z.strictObject({
    hosts: z.string().min(1).optional().describe("a file of hosts, one per line; those below one are blocked with it"),
    urls: z.string().min(1).optional().describe("a file of whole addresses, one per line"),
    words: z.string().min(1).optional().describe("a file of words that no address may have between marks, one per line"),
  }),
  files: ({ hosts, urls, words }) => [hosts, urls, words].filter((path) => path !== undefined),
  async open({ hosts, urls, words }, files) {
    check(
      hosts !== undefined || urls !== undefined || words !== undefined,
      where,
      () => "blockUrls has no list: name hosts, urls or words",
    );
    const blockedHosts = new Set(await smallEntriesOf(files, hosts));
    const blockedUrls = new Set(await entriesOf(files, urls));
    const blockedWords = new Set(await smallEntriesOf(files, words));
    for (const word of blockedWords)
      check(
        !marks.test(word),
        where,
        () => `${words}: "${word}" is not of a to z and 0 to 9 alone, so that no word of an address is it: take it out`,
      );
    return {
      apply(document) {
        const url = String(document.facts.url ?? "");
        if (url === "") return document;
        if (blockedUrls.has(url)) return { reason: "url", measured: url };
        const host = hostsOf(url).find((one) => blockedHosts.has(one));
        if (host !== undefined) return { reason: "host", measured: host, found: [host] };
        const word = url
          .toLowerCase()
          .split(marks)
          .find((one) => blockedWords.has(one));
        return word === undefined ? document : { reason: "word", measured: word, found: [word] };
      },
    };
  },
});

/** A host and those above it: a.b.c, b.c, c. */
function hostsOf(url: string): string[] {
  const host = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#@]*@)?([^/?#:]+)/i.exec(url)?.[1]?.toLowerCase() ?? "";
  const labels = host.split(".");
  return labels.map((_, i) => labels.slice(i).join("."));
}

/** A block list of words. */
export const blockWords = stepRow({
  name: "blockWords",
  summary: "drops documents that hold a word of a list",
  source: "Raffel et al. 2020, arXiv 1910.10683, section 2.2; datatrove 0.10.1, c4_filters.py",
  deeds: ["drops"],
  reasons: { word: "holds a word of the list" },
  parameters: z.strictObject({
    list: z.string().min(1).describe("a file of words or phrases, one per line; C4 takes the list of Shutterstock (LDNOOBW)"),
    isWhole: z
      .boolean()
      .default(true)
      .describe("whether a word counts only between characters that no word has; false for languages without spaces"),
  }),
  files: ({ list }) => [list],
  async open({ list, isWhole }, files) {
    const entries = (await entriesOf(files, list)).map((word) => word.toLowerCase());
    check(entries.length > 0, where, () => `${list} holds no word: a block list has one per line`);
    const words = entries.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|");
    const pattern = new RegExp(isWhole ? `(?<![\\p{L}\\p{N}_])(?:${words})(?![\\p{L}\\p{N}_])` : words, "u");
    return {
      apply(document) {
        const found = pattern.exec(document.text.toLowerCase());
        return found === null ? document : { reason: "word", measured: found[0], found: [found[0]] };
      },
    };
  },
});
