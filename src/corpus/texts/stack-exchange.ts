// Dumps of Stack Exchange (Posts.xml, a row per post): each question with its answers, best first, as Touvron et al. 2023, section 2.1, have them.
import { parseJson } from "../../base/index.ts";
import { decodeText } from "./decode-text.ts";
import type { FormInput, TextDocument } from "./forms.ts";
import { pageText } from "./html/page-text.ts";
import { maxDocumentLength, tooLong } from "./limits.ts";
import { toLineFeeds } from "./line-ends.ts";
import { Spill } from "./spill.ts";
import { splitText } from "./split-text.ts";
import { decodeXml } from "./xml-values.ts";

/** Posts are brought together by their question's number, so many numbers at a time. */
const questionsAtOnce = 50_000;
const [question, answer] = ["1", "2"];

interface Post {
  /** The number of its question; a question's own. */
  readonly question: number;
  readonly id: number;
  readonly isQuestion: boolean;
  readonly score: number;
  readonly text: string;
  readonly facts: TextDocument["facts"];
}

/**
 * One document per question: its title, its text, and its answers by falling score, equal ones by age, without HTML; with `title`, `date`, `licence`,
 * `score`, and the numbers of `answers` and of the `question`. Memory: the posts of questions with 50,000 numbers; others lie in a temporary folder meanwhile.
 */
export async function* readStackExchange(input: FormInput): AsyncGenerator<TextDocument> {
  const { name, where } = input;
  await using posts = new Spill(where);
  const refuse = (line: number) => tooLong(where, name, `line ${line + 1}`, "every row needs a line of its own");
  let line = 0;
  let isWhole = false;
  for await (const text of splitText(decodeText(input, where), "\n", maxDocumentLength, refuse)) {
    line++;
    if (text.includes("</posts>")) isWhole = true;
    const row = text.trim();
    if (!row.startsWith("<row")) {
      if (row.includes("<row ")) input.note({ kind: "damaged", what: "row that has no line of its own", place: `${name}:${line}` });
      continue;
    }
    const post = readPost(row);
    if (typeof post === "object") await posts.add(Math.floor(post.question / questionsAtOnce), JSON.stringify(post));
    else input.note({ kind: post === brokenRow ? "damaged" : "left out", what: post, place: `${name}:${line}` });
  }
  if (!isWhole) input.note({ kind: "damaged", what: "dump that ends without its last tag", place: `${name}:${line}` });
  for await (const group of posts.groups()) yield* joinPosts(group, input);
}

const brokenRow = "row without a post's attributes";

/** The post, or what the row is instead. */
function readPost(row: string): Post | string {
  const values = new Map<string, string>();
  for (const [, key = "", value = ""] of row.matchAll(/\s([A-Z][A-Za-z]*)="([^"]*)"/g)) values.set(key, decodeXml(value));
  const type = values.get("PostTypeId") ?? "";
  const isQuestion = type === question;
  const [id, parent, score] = [values.get("Id"), values.get(isQuestion ? "Id" : "ParentId"), values.get("Score") ?? "0"];
  if (!row.endsWith("/>") || !/^\d{1,2}$/.test(type)) return brokenRow;
  if (!isQuestion && type !== answer) return `post of type ${type}`;
  if (!isNumber(id) || !isNumber(parent) || !/^-?\d{1,9}$/.test(score)) return brokenRow;
  const text = pageText(toLineFeeds(values.get("Body") ?? "")).trim();
  return { question: Number(parent), id: Number(id), isQuestion, score: Number(score), text, facts: factsOf(values) };
}

function isNumber(text: string | undefined): boolean {
  return text !== undefined && /^\d{1,12}$/.test(text);
}

function factsOf(values: ReadonlyMap<string, string>): TextDocument["facts"] {
  return { title: values.get("Title"), date: values.get("CreationDate"), licence: values.get("ContentLicense") };
}

/** Questions in the order of their numbers, each with its answers. */
function* joinPosts(lines: readonly string[], { name, where, note }: FormInput): Generator<TextDocument> {
  const threads = new Map<number, Post[]>();
  for (const line of lines) {
    const post = parseJson(where, `${name}: a post in a temporary file`, line, "run the command again") as Post;
    const thread = threads.get(post.question);
    if (thread === undefined) threads.set(post.question, [post]);
    else thread.push(post);
  }
  for (const [number, posts] of [...threads].sort(([a], [b]) => a - b)) {
    const asked = posts.find(({ isQuestion }) => isQuestion);
    const answers = posts.filter(({ isQuestion }) => !isQuestion).sort((a, b) => b.score - a.score || a.id - b.id);
    if (asked === undefined) {
      for (const { id } of answers) note({ kind: "left out", what: "answer without its question", place: `${name}: post ${id}` });
      continue;
    }
    const texts = [String(asked.facts.title ?? ""), asked.text, ...answers.map(({ text }) => text)];
    yield {
      text: texts.filter((text) => text !== "").join("\n\n"),
      facts: { ...asked.facts, score: asked.score, answers: answers.length, question: number },
    };
  }
}
