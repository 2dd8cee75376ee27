// What a rule changed in a text, line by line: rules take lines out and change some, and never put them in another order.

/** A line of a text before and behind a change. */
export interface LineChange {
  readonly mark: " " | "-" | "+";
  readonly line: string;
}

/** Lines that stayed, went and came, in the order of the text; a line that went stands in front of the one that came in its place. */
export function lineChanges(before: string, after: string): readonly LineChange[] {
  const [was, is] = [before.split("\n"), after.split("\n")];
  const stays = new Set(is);
  const changes: LineChange[] = [];
  let at = 0;
  for (const line of was) {
    const next = stays.has(line) ? is.indexOf(line, at) : -1;
    if (next < 0) changes.push({ mark: "-", line });
    else {
      // What came stands in front of the next line that stayed.
      for (const come of is.slice(at, next)) changes.push({ mark: "+", line: come });
      changes.push({ mark: " ", line });
      at = next + 1;
    }
  }
  for (const come of is.slice(at)) changes.push({ mark: "+", line: come });
  return changes;
}
