// Characters that HTML names or numbers.
import { Tokenizer } from "htmlparser2";

const known = new Map<string, string>();
const nothing = () => {};

/** The text with entities in it decoded as HTML does (https://html.spec.whatwg.org/#named-character-references); soft hyphens go. */
export function decodeEntities(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(/&(?:#\d{1,7}|#[xX][\da-fA-F]{1,6}|[a-zA-Z][a-zA-Z\d]{1,31});/g, (entity) => {
    const found = known.get(entity) ?? decodeEntity(entity);
    if (known.size < 10_000) known.set(entity, found);
    return found;
  });
}

function decodeEntity(entity: string): string {
  let decoded = "";
  const callbacks = {
    ontext: (start: number, end: number) => (decoded += entity.slice(start, end)),
    ontextentity: (code: number) => (decoded += String.fromCodePoint(code)),
    ...{
      onattribdata: nothing,
      onattribentity: nothing,
      onattribend: nothing,
      onattribname: nothing,
      oncdata: nothing,
      onclosetag: nothing,
    },
    ...{ oncomment: nothing, ondeclaration: nothing, onend: nothing, onopentagend: nothing, onopentagname: nothing },
    ...{ onprocessinginstruction: nothing, onselfclosingtag: nothing },
  };
  const tokenizer = new Tokenizer({ decodeEntities: true }, callbacks);
  tokenizer.write(entity);
  tokenizer.end();
  return decoded.replace("\u00ad", "");
}
