// Text that says the same again and again teaches little: Gopher's rule of duplicate lines (Rae et al. 2021, arXiv 2112.11446, table A1).

/** Loose enough for code, whose closing brackets repeat; Gopher's own limit for prose is 0.2. */
const limit = 0.3;

/** Whether more than 30 % of the characters stand in lines that were there before. */
export function isRepetitive(document: string): boolean {
  const seen = new Set<string>();
  let repeated = 0;
  for (const line of document.split("\n")) {
    const trimmed = line.trim();
    if (seen.has(trimmed)) repeated += line.length;
    seen.add(trimmed);
  }
  return repeated > limit * document.length;
}
