// Texts of tokens as log-probabilities tell them: one that is a part of a character has its bytes, as in OpenAI's `bytes:\xe2\x80`.

/** The bytes of a token. */
function bytesOf(token: string): Uint8Array {
  const [, bytes] = /^bytes:((?:\\x[0-9a-f]{2})+)$/.exec(token) ?? [];
  if (bytes === undefined) return new TextEncoder().encode(token);
  return Uint8Array.from(bytes.split("\\x").slice(1), (byte) => Number.parseInt(byte, 16));
}

/** What each token adds to the text, which is nothing before the token that ends a character. */
export function shownTexts(tokens: readonly string[]): string[] {
  const decoder = new TextDecoder();
  return tokens.map((token) => decoder.decode(bytesOf(token), { stream: true }));
}

/** Whether a text may end behind these tokens: not in the middle of a character. */
export function endsWhole(tokens: readonly string[]): boolean {
  const decoder = new TextDecoder();
  for (const token of tokens) decoder.decode(bytesOf(token), { stream: true });
  return decoder.decode() === "";
}

/** A token as a person reads it: text in which nothing is invisible, or its bytes. */
export function visible(token: string): string {
  return token.startsWith("bytes:") ? token.slice("bytes:".length).replaceAll("\\x", " ").trim() : JSON.stringify(token).slice(1, -1);
}
