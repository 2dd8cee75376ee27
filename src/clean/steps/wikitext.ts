// Articles of wikis without their markup.
import { z } from "zod";
import { stepRow } from "../step.ts";

/** "File", "Image" and "Category" in the twenty languages of the paper's Wikipedia. A dump's own names are a fact of its documents. */
const usualPrefixes = [
  "file image media category template файл картинка категория категорія зображення файл датотека слика категорија файл категория fitxer imatge categoria soubor kategorie",
  "fil billede kategori datei bild archivo imagen categoría fichier catégorie datoteka slika kategorija fájl kép kategória immagine bestand afbeelding categorie plik grafika",
  "ficheiro imagem fișier imagine categorie датотека kategorija fil bild kategori",
]
  .join(" ")
  .split(" ");

const parameters = z.strictObject({
  droppedTags: z
    .array(z.string().min(1))
    .default(
      "ref references gallery math chem score timeline imagemap syntaxhighlight source templatedata graph mapframe maplink hiero inputbox indicator style script".split(
        " ",
      ),
    )
    .describe("tags that go with all that is in them; of others the tags alone go"),
  droppedPrefixes: z
    .array(z.string().min(1))
    .default([...new Set(usualPrefixes)])
    .describe(
      "links that begin so go with their labels: pictures and categories, in small or capital letters; the names that a dump has for them are added",
    ),
  templates: z
    .record(z.string(), z.int().min(1))
    .default({ lang: 2, transl: 2, transliteration: 2, nowrap: 1, nobr: 1, abbr: 1, quote: 1, blockquote: 1, cquote: 1 })
    .describe("templates whose text stays, with the number of the argument that holds it; all others go"),
  keepTables: z.boolean().default(false).describe("whether the cells of tables stay, a line each"),
  keepEmptySections: z.boolean().default(false).describe("whether headings stay that no text is left under"),
});

/** The removal of wikitext's markup. */
export const wikitext = stepRow({
  name: "wikitext",
  summary: "makes wikitext plain: no templates, tables, references, links, comments",
  source: "Touvron et al. 2023, arXiv 2302.13971, section 2.1 (hyperlinks, comments and other boilerplate); which tags and templates: ours",
  deeds: ["rewrites", "drops"],
  reasons: { empty: "has no text besides its markup" },
  parameters,
  open: async ({ droppedTags, droppedPrefixes, templates, keepTables, keepEmptySections }) => {
    const [{ stripWikitext }, { plainLines }] = await Promise.all([
      import("../text/wiki/strip-wikitext.ts"),
      import("../text/wiki/plain-lines.ts"),
    ]);
    const lower = (words: readonly string[]) => words.map((word) => word.toLowerCase());
    const options = {
      droppedTags: new Set(lower(droppedTags)),
      templates: new Map(Object.entries(templates).map(([name, number]) => [name.toLowerCase(), number])),
      keepsTables: keepTables,
    };
    const usual = new Set(lower(droppedPrefixes));
    return {
      apply: (document) => {
        const own = document.facts.prefixes; // A dump names these namespaces in its language.
        const prefixes = typeof own === "string" ? new Set([...usual, ...lower(own.split("|"))]) : usual;
        const text = plainLines(stripWikitext(document.text, { ...options, droppedPrefixes: prefixes }), keepEmptySections);
        return text === "" ? { reason: "empty" } : document.withText(text);
      },
    };
  },
});
