// What a person may type next: the program as it was called, words quoted for a shell, a prompt in the text's own language.
import { basename, dirname, relative } from "node:path";
import type { PreparedData } from "../corpus/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";

/** How the program was called, as the words that call it again. */
export interface Caller {
  readonly cria: string;
  /** `cria demo`: `npm start --` where npm runs it. */
  readonly demo: string;
}

interface Start {
  /** Node's first argument: the program's file, or the link to it that was called. */
  readonly script: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/**
 * npm tells its children by environment variables what it was asked to do; a link named cria outside of node_modules/.bin stands on the PATH.
 * On Windows the link is a script that names the installed file instead.
 */
export function callerOf({ script, env, cwd }: Start): Caller {
  const isNpmStart = env.npm_lifecycle_event === "start";
  const isNpx = env.npm_command !== undefined || /node_modules[\\/]\.bin$/.test(dirname(script));
  const isOnPath = basename(script) === "cria" || /node_modules[\\/]cria[\\/]bin[\\/]cria\.mjs$/.test(script);
  const cria = isNpx ? "npx cria" : isOnPath ? "cria" : `node ${quoted(nearer(script, cwd))}`;
  return { cria, demo: isNpmStart ? "npm start --" : `${cria} demo` };
}

/** The path from the working folder, where the file is inside it. */
function nearer(path: string, cwd: string): string {
  const inside = relative(cwd, path);
  return inside === "" || inside.startsWith("..") ? path : inside;
}

/** `npx cria train "my runs/a" --resume`, from the words behind the program's name. */
export function callAgain(caller: Caller, ...words: readonly string[]): string {
  const [name, ...rest] = words;
  return [...(name === "demo" ? [caller.demo] : [caller.cria, name!]), ...rest.map(quoted)].join(" ");
}

/** The word as it is where every shell takes it as one word; else in double quotes, which cmd.exe knows too. */
export function quoted(word: string): string {
  if (/^[\w@%+=:,./\\-]+$/.test(word) && (process.platform === "win32" || !word.includes("\\"))) return word;
  if (process.platform !== "win32" && /["$`\\!]/.test(word)) return `'${word.replaceAll("'", "'\\''")}'`;
  return `"${word.replaceAll('"', '\\"')}"`;
}

/** A command and what it does. */
export type Hint = readonly [command: string, meaning: string];

/** Side by side where that fits into `width` columns, else one below the other; a command is never broken, so that it can be copied. */
export function hintLines(hints: readonly Hint[], width: number): string[] {
  const left = Math.max(...hints.map(([command]) => displayWidth(command))) + 3;
  const longest = Math.max(...hints.map(([, meaning]) => displayWidth(meaning)));
  if (2 + left + longest > width) return hints.flatMap(([command, meaning]) => [`  ${command}`, `      ${meaning}`]);
  return hints.map(([command, meaning]) => `  ${command}${" ".repeat(left - displayWidth(command))}${meaning}`);
}

/** Terminal columns: ideographs, kana, hangul and full-width forms take two. */
function displayWidth(text: string): number {
  return [...text].reduce((sum, character) => sum + (wide.test(character) ? 2 : 1), 0);
}

const wide = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303f\uff01-\uff60]/u;

const mostWords = 5;
const mostCharacters = 40;

/** A prompt in the language of what a model learned: the first words of a held-out document, else of the training text. */
export async function promptOf(data: PreparedData, tokenizer: Tokenizer): Promise<string> {
  for await (const text of data.heldOutTexts()) return promptFrom(text);
  const [first] = data.sources;
  return first === undefined ? "" : promptFrom(tokenizer.decode([...(await first.tokens.read(0, Math.min(64, first.tokens.length)))]));
}

/** The first words of a text, up to the end of its sentence, without what a shell or a flag would take for its own; empty where there are none. */
export function promptFrom(text: string): string {
  const line = text.split(/[\r\n]+/).find((one) => /\p{L}/u.test(one)) ?? "";
  const from = line.slice(0, 8 * mostCharacters).search(/\p{L}/u);
  let prompt = "";
  let words = 0;
  for (const { segment, isWordLike } of new Intl.Segmenter(undefined, { granularity: "word" }).segment(
    line.slice(Math.max(0, from), 8 * mostCharacters),
  )) {
    if (/["'`“”$\\!.?;:。．！？\p{Cc}\ufffd]/u.test(segment) || words === mostWords || prompt.length + segment.length > mostCharacters)
      break;
    prompt += segment;
    if (isWordLike) words++;
  }
  return prompt.trim().replace(/[,，、\s]+$/u, "");
}
