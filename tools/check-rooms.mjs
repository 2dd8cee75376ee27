// Holds the table of rooms (ARCHITECTURE.md): who may import whom, only through index.ts, and no cycles inside a room.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";

const src = join(dirname(fileURLToPath(import.meta.url)), "..", "src");

/** room → rooms it may import. `backend` is several rooms: the interface imports no implementation, implementations never meet. */
export const rooms = {
  base: [],
  files: ["base"],
  regex: ["base"],
  tokenizer: ["base", "regex"],
  chat: ["base", "tokenizer"],
  kernel: ["base"],
  graph: ["base"],
  threads: ["base"],
  backend: ["base", "graph"],
  "backend/reference": ["base", "graph", "backend"],
  "backend/cpu": ["base", "kernel", "graph", "threads", "backend"],
  host: ["base", "kernel", "threads", "backend", "backend/cpu"],
  model: ["base", "graph"],
  formats: ["base", "model", "regex", "tokenizer"],
  data: ["base", "files"],
  load: ["base", "files", "model", "tokenizer", "chat", "formats"],
  infer: ["base", "graph", "backend", "model", "tokenizer"],
  eval: ["base", "graph", "backend", "model", "tokenizer", "data", "infer"],
  train: ["base", "graph", "backend", "model", "tokenizer", "data", "eval", "formats", "files"],
  plan: ["base", "model"],
  plot: [],
  raise: ["base", "files", "graph", "backend", "model", "tokenizer", "data", "train", "plot"],
  study: ["base", "files", "graph", "backend", "model", "tokenizer", "data", "infer", "eval", "train", "plan", "plot"],
  cli: "all",
};

/** Packages a room may name; a room not listed may name none. `node:` modules count as packages. */
export const packages = {
  files: ["node:*"],
  chat: ["@huggingface/jinja"],
  formats: ["@bufbuild/protobuf/wire"],
  load: ["node:*"],
  data: ["node:*", "csv-parse", "fzstd", "htmlparser2", "picomatch", "yaml", "zod"],
  train: ["node:*", "zod", "yaml"],
  host: ["node:*"],
  plot: ["@observablehq/plot", "linkedom"],
  raise: ["node:*"],
  study: ["node:*"],
  cli: ["node:*", "*"],
};

/** The one file that may name the package that loads machine code. */
const machineCode = join("host", "native.ts");

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
/** Tests, their helpers (x.test.helper.ts) and conformance suites: tests may share these past the doors. */
const isTestFile = (file) => file.includes(".test.") || file.includes("conformance");
const graph = new Map();

for (const file of files) {
  const room = roomOf(file);
  const isTest = isTestFile(file);
  if (room !== "" && !(room in rooms)) problems.push(`${file}: room "${room}" is not in the table of tools/check-rooms.mjs`);
  const text = readFileSync(join(src, file), "utf8");
  const statement = /(?:^|\n)\s*(?:import|export)\s(type\s)?[^"';]*?from\s+"([^"]+)"|import\(\s*"([^"]+)"\s*\)|(?:^|\n)import\s+"([^"]+)"/g;
  const imports = [...text.matchAll(statement)].map((m) => ({ name: m[2] ?? m[3] ?? m[4], isType: m[1] !== undefined }));
  if (/["']koffi["']/.test(text) && !isTest && file !== machineCode) problems.push(`${file}: only ${machineCode} loads machine code`);
  const local = [];
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
  const shown = new Map([...text.matchAll(/^\| (\w+) \| .+? \| ([^|]+) \| .+ \|$/gm)].map(([, room, imports]) => [room, imports.trim()]));
  for (const room of Object.keys(rooms).filter((name) => !name.includes("/"))) {
    const family = Object.keys(rooms).filter((name) => name === room || name.startsWith(`${room}/`));
    const imports = family.flatMap((name) => rooms[name]);
    const allowed = [...new Set(imports)].filter((name) => name !== room).sort();
    const said = (shown.get(room) ?? "no row").split(", ").filter((name) => name !== "–");
    if (said.sort().join() !== allowed.join())
      problems.push(`ARCHITECTURE.md: room "${room}" imports ${said.join(", ")} there, ${allowed.join(", ")} here`);
  }
}

if (problems.length > 0) {
  console.error(problems.map((p) => `[rooms] ${p}`).join("\n"));
  process.exit(1);
}
console.log(`rooms: ${files.length} files keep to the table`);
