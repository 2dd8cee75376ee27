// WordNet's data files (wndb(5WN)) → a dictionary to read: `words (part of speech): gloss; "examples".`

const partsOfSpeech: Readonly<Record<string, string>> = { n: "noun", v: "verb", a: "adjective", s: "adjective", r: "adverb" };

/**
 * One line an entry, in the file's order, which keeps related meanings together.
 *
 *     00003826 29 v 02 hiccup 0 hiccough 0 003 @ 00001740 v 0000 … | breathe spasmodically; "have a drink"
 *     offset   file pos count(hex) word lex_id …                      gloss
 */
export function cleanWordnet(raw: string): string {
  return raw
    .split("\n")
    .filter((line) => /^\d{8} /.test(line)) // the licence on top is indented
    .map(entry)
    .join("\n");
}

function entry(line: string): string {
  const bar = line.indexOf(" | ");
  const fields = line.slice(0, bar).split(" ");
  const count = Number.parseInt(fields[3] ?? "0", 16);
  const words = Array.from({ length: count }, (_, i) => word(fields[4 + 2 * i] ?? ""));
  const gloss = line.slice(bar + 3).trim();
  return `${words.join(", ")} (${partsOfSpeech[fields[2] ?? ""]}): ${gloss}${/[.!?]"?$/.test(gloss) ? "" : "."}`;
}

/** `galore(ip)` carries where an adjective may stand; `_` stands for a space. */
function word(field: string): string {
  return field.replace(/\((?:a|p|ip)\)$/, "").replaceAll("_", " ");
}
