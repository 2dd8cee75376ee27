// The text of a TeX file: UTF-8, or what the package inputenc is told, or what the bytes seem to be.
import { type DecodedPage, decodePage } from "../page-charset.ts";

/** Names of the package inputenc (CTAN, latex/base/inputenc.dtx) and those of the platform's decoders. */
const encodings = new Map(
  Object.entries({
    latin1: "windows-1252",
    ansinew: "windows-1252",
    cp1252: "windows-1252",
    latin2: "iso-8859-2",
    cp1250: "windows-1250",
    latin3: "iso-8859-3",
    latin4: "iso-8859-4",
    latin5: "iso-8859-9",
    latin9: "iso-8859-15",
    latin10: "iso-8859-16",
    cp1257: "windows-1257",
    cp1251: "windows-1251",
    "koi8-r": "koi8-r",
    "koi8-ru": "koi8-u",
    applemac: "macintosh",
  }),
);

/** What a file's bytes say, and the encoding where that is not UTF-8. */
export function decodeSource(bytes: Uint8Array): DecodedPage {
  const head = Buffer.from(bytes.subarray(0, 1 << 16)).toString("latin1");
  const named = /^[^%\n]*\\(?:usepackage|RequirePackage)\s*\[([^\]]{0,100})\]\s*\{inputenc\}/m.exec(head)?.[1];
  return decodePage(bytes, encodings.get(named?.trim().toLowerCase() ?? ""));
}
