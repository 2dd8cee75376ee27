// The text of a page's bytes, in whatever encoding: what the server and the page say of it is often wrong, and well-formed UTF-8 is no accident.

import { decoderOf, detectCharset } from "./detect-charset.ts";
import { utf8Text } from "./utf8.ts";

/** A page's text, and its encoding where that is not UTF-8. */
export interface DecodedPage {
  readonly text: string;
  /** The name of the encoding that was converted; "bytes that are no UTF-8" where some were replaced. */
  readonly converted?: string;
}

/** Where HTML looks for `<meta charset>` (HTML, section 13.2.3.2). */
const headBytes = 1024;
const lessThan = 0x3c;
/** A page is still taken for UTF-8 when so large a share of its characters beyond ASCII is broken. */
const mostBroken = 0.1;

/** @param told the encoding that the server tells, if any */
export function decodePage(bytes: Uint8Array, told: string | undefined): DecodedPage {
  const marked = markedDecoder(bytes);
  const decoder = marked ?? decoderOf(told) ?? decoderOf(tellsItself(bytes));
  if (decoder !== undefined && (decoder === marked || mayBe(decoder.encoding, bytes)))
    return { text: decoder.decode(bytes), converted: decoder.encoding };
  const whole = utf8Text(bytes);
  if (whole !== undefined) return { text: whole.startsWith("\ufeff") ? whole.slice(1) : whole };
  if (decoder !== undefined && decoder.encoding !== "utf-8") return { text: decoder.decode(bytes), converted: decoder.encoding };
  const text = new TextDecoder().decode(bytes);
  if (isMostlyUtf8(text)) return { text, converted: "bytes that are no UTF-8" };
  const found = detectCharset(bytes);
  return { text: found.decode(bytes), converted: found.encoding };
}

/**
 * Whether bytes may be in one of the encodings in which being well-formed UTF-8 says nothing: a page in UTF-16 has zero bytes, as its tags are ASCII, and one
 * in ISO-2022 no byte beyond ASCII.
 */
function mayBe(encoding: string, bytes: Uint8Array): boolean {
  if (encoding.startsWith("utf-16")) return bytes.includes(0);
  return encoding.startsWith("iso-2022") && !bytes.some((byte) => byte > 0x7f);
}

function markedDecoder(bytes: Uint8Array): TextDecoder | undefined {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder("utf-16le");
  return first === 0xfe && second === 0xff ? new TextDecoder("utf-16be") : undefined;
}

function tellsItself(bytes: Uint8Array): string | undefined {
  const first = bytes.indexOf(lessThan);
  if (first < 0 || first >= headBytes) return undefined;
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(headBytes, bytes.length)).toString("latin1");
  const label = /<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s*=\s*["']?\s*([\w-]{1,40})/i.exec(head)?.[1];
  return label?.toLowerCase().startsWith("utf-16") ? undefined : label; // what could be read so far is no UTF-16
}

function isMostlyUtf8(text: string): boolean {
  let [broken, beyond] = [0, 0];
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) beyond++;
    if (unit === 0xfffd) broken++;
  }
  return broken <= mostBroken * beyond;
}
