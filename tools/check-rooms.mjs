// Holds the table of rooms (ARCHITECTURE.md): who may import whom, only through index.ts, no cycles inside a room, nothing of Node within reach of
// the rooms that run in a browser, and no flag of the command line outside of cli.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";

const src = join(dirname(fileURLToPath(import.meta.url)), "..", "src");

/** room → rooms it may import. `backend` is several rooms: the interface imports no implementation, implementations never meet. */
export const rooms = {
  base: [],
  schema: ["base"],
  files: ["base"],
  regex: ["base"],
  tokenizer: ["base", "regex"],
  chat: ["base", "tokenizer"],
  grammar: ["base", "regex", "tokenizer"],
  dialogue: ["base", "regex", "tokenizer", "chat", "grammar"],
  kernel: ["base"],
  graph: ["base"],
  threads: ["base"],
  backend: ["base", "graph"],
  "backend/reference": ["base", "graph", "backend"],
  "backend/cpu": ["base", "kernel", "graph", "threads", "backend"],
  host: ["base", "files", "kernel", "threads", "backend", "backend/cpu"],
  model: ["base", "graph"],
  formats: ["base", "model", "regex", "tokenizer"],
  fasttext: ["base"],
  ngrams: ["base"],
  clean: ["base", "schema", "regex", "tokenizer", "open", "fasttext", "ngrams"],
  batches: ["base", "schema"],
  corpus: ["base", "schema", "files", "hub", "tokenizer", "batches", "clean"],
  pipeline: ["base", "schema", "files", "batches", "clean", "corpus", "plot"],
  open: ["base", "model", "tokenizer", "chat", "formats"],
  hub: ["base", "files"],
  load: ["base", "files", "tokenizer", "open", "hub"],
  convert: ["base", "files", "graph", "backend", "model", "tokenizer", "formats", "open", "load", "batches", "infer", "eval"],
  infer: ["base", "graph", "backend", "model", "tokenizer", "grammar"],
  llama: ["base", "backend", "model", "tokenizer", "chat", "grammar", "dialogue", "formats", "open", "infer"],
  eval: ["base", "backend", "model", "batches"],
  train: ["base", "schema", "graph", "backend", "model", "batches", "eval", "formats"],
  runs: ["base", "schema", "files", "hub", "backend", "model", "tokenizer", "formats", "batches", "corpus", "infer", "eval", "train"],
  watch: ["base", "files", "model", "train", "runs"],
  web: [
    "base",
    "threads",
    "backend",
    "backend/cpu",
    "model",
    "tokenizer",
    "chat",
    "grammar",
    "dialogue",
    "formats",
    "open",
    "batches",
    "infer",
    "llama",
    "eval",
    "train",
  ],
  plan: ["base", "model"],
  plot: ["base"],
  raise: ["base", "files", "graph", "backend", "model", "tokenizer", "batches", "corpus", "train", "runs", "plot"],
  study: [
    ...["base", "files", "graph", "backend", "model", "tokenizer", "batches", "corpus", "infer", "eval", "train", "runs", "plan"],
    "plot",
  ],
  serve: ["base", "graph", "model", "tokenizer", "chat", "formats", "dialogue", "infer", "llama", "runs", "watch"],
  entries: "all",
  cli: "all",
};

/** Folders inside a room that have a door of their own: the rest of the room uses them through their index.ts. */
export const innerDoors = [
  "kernel/library",
  "kernel/wasm",
  "kernel/x64",
  "graph/ops",
  "tokenizer/words",
  "corpus/texts",
  "corpus/counting",
  "formats/quantise",
  "llama/library",
];

/** Rooms that run in a browser as they do in Node: no `node:` module, no global of Node and no other room is within reach of what they import. */
export const portable = [
  ...["base", "schema", "regex", "tokenizer", "chat", "grammar", "dialogue", "kernel", "graph", "threads"],
  ...[
    "backend",
    "backend/reference",
    "backend/cpu",
    "model",
    "formats",
    "open",
    "fasttext",
    "ngrams",
    "clean",
    "batches",
    "infer",
    "llama",
    "eval",
    "train",
  ],
  ...["plan", "web"],
];

/** Doors of the package that run in a browser, in a room whose other doors are Node's. */
const portableDoors = ["entries/tokenizer.ts", "entries/plan.ts"];

/** Packages a room may name; a room not listed may name none. `node:` modules count as packages. */
export const packages = {
  files: ["node:*"],
  chat: ["@huggingface/jinja"],
  hub: ["node:*", "@huggingface/hub", "csv-parse/sync", "undici"],
  load: ["node:*"],
  convert: ["node:*"],
  schema: ["yaml", "zod"],
  clean: ["htmlparser2", "zod"],
  batches: ["zod"],
  pipeline: ["node:*", "zod"],
  corpus: [
    "node:*",
    "7z-wasm",
    "@mozilla/readability*",
    "chardet",
    "csv-parse",
    "fzstd",
    "htmlparser2",
    "hyparquet",
    "hyparquet/src/column.js",
    "hyparquet-compressors",
    "picomatch",
    "yauzl",
    "zod",
  ],
  train: ["zod"],
  runs: ["node:*", "yaml", "zod"],
  host: ["node:*"],
  watch: ["node:*"],
  plot: ["@observablehq/plot", "linkedom"],
  raise: ["node:*"],
  study: ["node:*"],
  serve: ["node:*", "hono", "@hono/node-server*", "openai/*", "@anthropic-ai/*", "ollama", "prom-client", "zod"],
  cli: ["node:*", "*"],
};

/** The one file that may name the package that loads machine code. */
const machineCode = join("host", "native.ts");

/** The one file that may name the package that fetches; the page's addresses are read by the browser's own fetch. */
const network = join("hub", "hub-client.ts");

const problems = [];
const files = readdirSync(src, { recursive: true })
  .map(String)
  .filter((file) => file.endsWith(".ts"));
const roomOf = (file) => {
  const parts = file.split(sep);
  if (parts.length === 1) return "";
  const nested = parts.slice(0, 2).join("/");
  return nested in rooms ? nested : parts[0];
};
const isInside = (file, folder) => file.startsWith(join(folder, sep));
/** Tests, their helpers (x.test.helper.ts) and conformance suites: tests may share these past the doors. */
const isTestFile = (file) => file.includes(".test.") || file.includes("conformance");
const graph = new Map();
/** file → the files and packages that are loaded with it. A type-only import is gone after compilation. */
const loaded = new Map();
/** The flags of all commands: other rooms name options, and the command line says which of its flags they are. */
const flags = new Set(
  files
    .filter((file) => roomOf(file) === "cli" && !isTestFile(file))
    .flatMap((file) => [...readFileSync(join(src, file), "utf8").matchAll(/\bname: "([a-z][a-z-]*)",\s*type: "/g)].map(([, name]) => name)),
);
/** Globals of Node alone; a platform that has `setImmediate` is asked for it by `typeof`. */
const globalsOfNode = /(?<![.\w"'`])(?:Buffer\b|process\.|NodeJS\.|__dirname\b|__filename\b|require\()/;

for (const file of files) {
  const room = roomOf(file);
  const isTest = isTestFile(file);
  if (room !== "" && !(room in rooms)) problems.push(`${file}: room "${room}" is not in the table of tools/check-rooms.mjs`);
  const text = readFileSync(join(src, file), "utf8");
  const statement = /(?:^|\n)\s*(?:import|export)\s(type\s)?[^"';]*?from\s+"([^"]+)"|import\(\s*"([^"]+)"\s*\)|(?:^|\n)import\s+"([^"]+)"/g;
  const imports = [...text.matchAll(statement)].map((m) => ({ name: m[2] ?? m[3] ?? m[4], isType: m[1] !== undefined }));
  if (/["']koffi["']/.test(text) && !isTest && file !== machineCode) problems.push(`${file}: only ${machineCode} loads machine code`);
  if (imports.some(({ name, isType }) => name === "undici" && !isType) && file !== network)
    problems.push(`${file}: only ${network} fetches`);
  if (portable.includes(room) && !isTest) {
    const found = globalsOfNode.exec(withoutComments(text));
    if (found) problems.push(`${file}: room "${room}" runs in a browser, which has no ${found[0].replace(/\W$/, "")}`);
  }
  if (room !== "cli" && !isTest)
    for (const [, flag] of withoutComments(text).matchAll(/(?<![\w-])--([a-z][a-z-]*)/g))
      if (flags.has(flag))
        problems.push(`${file}: it names the flag --${flag}, but flags are the room cli's: name the option, as one of the error's ways`);
  const local = [];
  const within = imports.filter(({ isType }) => !isType).map(({ name }) => name);
  loaded.set(
    file,
    within.map((name) => (name.startsWith(".") ? relative(src, resolve(src, dirname(file), name)) : name)),
  );
  for (const { name, isType } of imports) {
    if (!name.startsWith(".")) {
      if (room === "" || isTest || rooms[room] === "all") continue;
      const allowed = packages[room] ?? [];
      if (!allowed.some((p) => p === "*" || p === name || (p.endsWith("*") && name.startsWith(p.slice(0, -1)))))
        problems.push(`${file}: room "${room}" may not import "${name}"`);
      continue;
    }
    const target = relative(src, resolve(src, dirname(file), name));
    const targetRoom = roomOf(target);
    if (targetRoom === room) {
      const door = innerDoors.find((folder) => isInside(target, folder) && !isInside(file, folder));
      if (door && !isTest && target !== join(door, "index.ts"))
        problems.push(`${file}: imports ${target}, past the inner door: use ${door}/index.ts`);
      // A type-only import is gone after compilation, so it closes no cycle.
      if (!isType) local.push(target);
      continue;
    }
    if (room === "" || rooms[room] === "all" || isTest) {
      // The front door, the command line and tests may use every room, by its door.
    } else if (!rooms[room].includes(targetRoom)) problems.push(`${file}: room "${room}" may not import room "${targetRoom}"`);
    if (!target.endsWith("index.ts") && !(isTest && isTestFile(target)))
      problems.push(`${file}: imports ${target}, past the door of its room: use ${targetRoom}/index.ts`);
  }
  graph.set(file, local);
}

checkDocument();
for (const file of files)
  if ((portable.includes(roomOf(file)) && !isTestFile(file)) || portableDoors.includes(file.split(sep).join("/"))) checkReach(file);

/** The nearest thing within reach that a browser does not have, and the way to it. */
function checkReach(start) {
  const ways = new Map([[start, [start]]]);
  for (const [file, way] of ways)
    for (const next of loaded.get(file) ?? []) {
      const isOutside = next.startsWith("node:") || (loaded.has(next) && !portable.includes(roomOf(next)));
      if (isOutside) return problems.push(`${start}: it must run in a browser, but reaches ${[...way.slice(1), next].join(" → ")}`);
      if (loaded.has(next) && !ways.has(next)) ways.set(next, [...way, next]);
    }
}

/** Good enough for code as the formatter leaves it: no comment marks in the texts of portable rooms look like these. */
function withoutComments(text) {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "");
}

const state = new Map();
const visit = (file, path) => {
  if (state.get(file) === "done") return;
  if (state.get(file) === "open") {
    problems.push(`import cycle: ${[...path.slice(path.indexOf(file)), file].join(" → ")}`);
    return;
  }
  state.set(file, "open");
  for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
  state.set(file, "done");
};
for (const file of graph.keys()) visit(file, []);

/** ARCHITECTURE.md shows the same table to people; a nested room stands in its parent's row. */
function checkDocument() {
  const text = readFileSync(join(src, "..", "ARCHITECTURE.md"), "utf8");
  const shown = new Map(
    [...text.matchAll(/^\| (\w+)( °)? \| .+? \| ([^|]+) \| .+ \|$/gm)].map(([, room, mark, imports]) => [
      room,
      { isMarked: mark !== undefined, imports: imports.trim() },
    ]),
  );
  for (const room of Object.keys(rooms).filter((name) => !name.includes("/"))) {
    const family = Object.keys(rooms).filter((name) => name === room || name.startsWith(`${room}/`));
    const imports = family.flatMap((name) => rooms[name]);
    const allowed = [...new Set(imports)].filter((name) => name !== room).sort();
    const said = (shown.get(room)?.imports ?? "no row").split(", ").filter((name) => name !== "–");
    if (shown.has(room) && shown.get(room).isMarked !== portable.includes(room))
      problems.push(
        `ARCHITECTURE.md: room "${room}" is ${shown.get(room).isMarked ? "" : "not "}marked as portable there, but ${portable.includes(room) ? "" : "not "}here`,
      );
    if (said.sort().join() !== allowed.join())
      problems.push(`ARCHITECTURE.md: room "${room}" imports ${said.join(", ")} there, ${allowed.join(", ")} here`);
  }
}

if (problems.length > 0) {
  console.error(problems.map((p) => `[rooms] ${p}`).join("\n"));
  process.exit(1);
}
console.log(`rooms: ${files.length} files keep to the table`);
