// The files of the page, as its build left them: few and small, so that they are read once and nothing but them is ever given.
import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import type { Answer } from "../protocol.ts";

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/**
 * What the page may do: its own scripts and styles, questions to its own server, reports in frames that may do nothing; and no other page may frame it
 * (Content Security Policy Level 3).
 */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/** Headers of everything that the page is made of. */
const headers = {
  "content-security-policy": policy,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
};

/** An answer per path: `/`, `/icon.svg`, `/assets/…`. @param folder where the build lies; nothing is answered where there is none */
export function readAssets(folder: string): ReadonlyMap<string, Answer> {
  const answers = new Map<string, Answer>();
  for (const name of filesIn(folder)) {
    const type = types[extname(name)];
    if (type === undefined) continue;
    const path = `/${name.split("\\").join("/")}`;
    // The names of built files have a hash of their content, so that they never change.
    const cached = { "cache-control": path.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache" };
    const answer = { headers: { ...headers, ...cached }, body: { text: readFileSync(join(folder, name), "utf8"), type } };
    answers.set(path === "/index.html" ? "/" : path, answer);
  }
  return answers;
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
  } catch {
    return []; // the package was not built with its page
  }
}
