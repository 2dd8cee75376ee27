// White space as fastText has it, which is ASCII's alone.

/** Whether a UTF-16 unit, or a byte of UTF-8 as a signed number, is white space. */
export function isSpace(unit: number): boolean {
  return unit <= 0x20 && (unit === 0x20 || (unit >= 0x9 && unit <= 0xd) || unit === 0);
}

/** The words between white space. */
export function wordsOf(text: string): string[] {
  const words: string[] = [];
  for (let at = 0; at < text.length; ) {
    const start = at;
    while (at < text.length && !isSpace(text.charCodeAt(at))) at++;
    if (at > start) words.push(text.slice(start, at));
    else at++;
  }
  return words;
}
