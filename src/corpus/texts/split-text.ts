// Cuts a stream of text at a separator without ever holding more than one part.

/**
 * The parts between separators, the last one too; every character is looked at once, however the chunks fall.
 * @param onTooLong must throw; called before a part grows beyond `maxLength` UTF-16 units
 */
export async function* splitText(
  chunks: AsyncIterable<string>,
  separator: string,
  maxLength: number,
  onTooLong: (part: number) => never,
): AsyncGenerator<string> {
  let done: string[] = []; // pieces of the part so far
  let length = 0;
  let count = 0;
  let tail = ""; // what may be the beginning of a separator
  const push = (piece: string) => {
    length += piece.length;
    if (length > maxLength) onTooLong(count);
    done.push(piece);
  };
  for await (const chunk of chunks) {
    const text = tail + chunk;
    let start = 0;
    for (let at = text.indexOf(separator); at >= 0; at = text.indexOf(separator, start)) {
      push(text.slice(start, at));
      yield done.join("");
      [done, length, start] = [[], 0, at + separator.length];
      count++;
    }
    const tailStart = Math.max(start, text.length - separator.length + 1);
    push(text.slice(start, tailStart));
    tail = text.slice(tailStart);
  }
  push(tail);
  yield done.join("");
}
