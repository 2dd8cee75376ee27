// The texts that a report shows: beginnings of documents, and what stands around the first change of one.

/** Characters that are shown. */
const shown = 600;
/** Characters in front of a change. */
const inFront = 200;

/** How a text begins. */
export function cut(text: string): string {
  return text.length > shown ? `${text.slice(0, shown).replace(/[\ud800-\udbff]$/, "")}…` : text;
}

/** A text before and behind a change, from some lines in front of the first difference on. */
export function changeOf(before: string, after: string): { readonly before: string; readonly after: string } {
  const start = startOf(before, commonStart(before, after));
  const from = (text: string) => (start === 0 ? cut(text) : `…${cut(text.slice(start))}`);
  return { before: from(before), after: from(after) };
}

/** So many units at the beginning are the same. */
export function commonStart(a: string, b: string): number {
  const most = Math.min(a.length, b.length);
  let at = 0;
  while (at < most && a.charCodeAt(at) === b.charCodeAt(at)) at++;
  return at;
}

/** Where a line begins in front of a change, or a character, where lines are long. */
function startOf(text: string, changed: number): number {
  const least = Math.max(0, changed - inFront);
  if (least === 0) return 0;
  const line = text.indexOf("\n", least) + 1;
  if (line > 0 && line <= changed) return line;
  return /[\udc00-\udfff]/.test(text.charAt(least)) ? least + 1 : least;
}
