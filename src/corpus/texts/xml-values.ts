// Values in XML that programs wrote. Nothing is declared in such files, so that only what XML itself names is decoded, and no text can grow by it.

const named: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

/** The text with XML's five entities and all numbered characters decoded (XML 1.0, section 4.6); others stay as they stand. */
export function decodeXml(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(/&(?:#x([\da-f]{1,6})|#(\d{1,7})|(lt|gt|amp|quot|apos));/gi, (all, hex?: string, decimal?: string, name?: string) => {
    if (name !== undefined) return named[name] ?? all;
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    return isCharacter(code) ? String.fromCodePoint(code) : all;
  });
}

/** Whether XML allows the character (section 2.2). */
function isCharacter(code: number): boolean {
  if (code < 0x20) return code === 0x9 || code === 0xa || code === 0xd;
  return code < 0xd800 || (code > 0xdfff && code < 0xfffe) || (code > 0xffff && code <= 0x10ffff);
}

/** The text between an element's tags, as it stands; empty where the element is empty, undefined where there is none. */
export function elementIn(xml: string, name: string): string | undefined {
  const start = xml.search(new RegExp(`<${name}[\\s/>]`));
  if (start < 0) return undefined;
  const inner = xml.indexOf(">", start);
  if (inner < 0 || xml[inner - 1] === "/") return inner < 0 ? undefined : "";
  const end = xml.indexOf(`</${name}>`, inner);
  if (end >= 0) return xml.slice(inner + 1, end);
  const rest = xml.slice(inner + 1);
  const spaced = rest.search(new RegExp(`</${name}\\s+>`));
  return spaced < 0 ? undefined : rest.slice(0, spaced);
}

/** The same without comments; one without an end goes on to the end of the text. */
export function withoutComments(xml: string): string {
  const parts: string[] = [];
  let at = 0;
  for (let start = xml.indexOf("<!--"); start >= 0; start = xml.indexOf("<!--", at)) {
    parts.push(xml.slice(at, start));
    const end = xml.indexOf("-->", start + 4);
    at = end < 0 ? xml.length : end + 3;
  }
  return parts.join("") + xml.slice(at);
}

/** The tags that begin an element of this name, without their brackets; a prefix in front of the name, as of another namespace's, does not count. */
export function tagsIn(xml: string, name: string): string[] {
  return [...withoutComments(xml).matchAll(new RegExp(`<(?:[\\w.-]{1,40}:)?${name}(?=[\\s/>])([^<>]*)>`, "g"))].map(
    ([, inner = ""]) => inner,
  );
}

/** The attributes of a tag by name, decoded. */
export function attributesIn(tag: string): ReadonlyMap<string, string> {
  return new Map(
    [...tag.matchAll(/(?<![\w:.-])([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)].map(([, key = "", double, single]) => [
      key,
      decodeXml(double ?? single ?? ""),
    ]),
  );
}
