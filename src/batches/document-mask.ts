// Several documents in one window, each as if it stood alone: it begins at position 0, attends its own tokens, and its last token does not predict
// the first one of the next document (Krell et al. 2021, arXiv 2107.02027, section 3.2; Zhao et al. 2024, arXiv 2402.13991; Llama 3, arXiv 2407.21783,
// section 3.2). What comes behind a document's end says nothing about it, and a model that reads a text never meets the next one of a training window.

/** The rows of windows in which documents are kept apart, [B·T] each. */
export interface DocumentRows {
  /** Each row's place in its document, from 0; in the one that a window cuts, from the window's beginning. */
  readonly positions: Int32Array;
  /** The first row of each row's document, counted from the beginning of its window. */
  readonly firstKeys: Int32Array;
}

/**
 * Fills the rows of one window, and takes the targets across boundaries away (-1).
 * @param starts where documents begin, as indices into the window's T + 1 tokens, rising
 */
export function keepApart(starts: Iterable<number>, { positions, firstKeys }: DocumentRows, targets: Int32Array): void {
  const begins = new Set(starts);
  let first = 0;
  for (let row = 0; row < targets.length; row++) {
    if (begins.has(row)) first = row;
    positions[row] = row - first;
    firstKeys[row] = first;
    if (begins.has(row + 1)) targets[row] = -1;
  }
}
