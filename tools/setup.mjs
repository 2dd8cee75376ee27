// What `npm start`, `npm test`, `npm run test:long` and `npm run bench` run: install, build, then the job. Plain JavaScript, because nothing is installed yet.
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const [job = "demo", ...rest] = process.argv.slice(2);

/** Every job is a list of scripts that Node runs; the first that fails ends it with its exit code. */
const jobs = {
  demo: [["dist/cli/main.js", "demo", ...rest]],
  test: [
    ["node_modules/@biomejs/biome/bin/biome", "check", "--error-on-warnings", "."],
    ["node_modules/typescript/bin/tsc", "-p", "tsconfig.web.json"],
    ["node_modules/typescript/bin/tsc", "-p", "page/tsconfig.json"],
    ["tools/check-rooms.mjs"],
    ["tools/check-docs.mjs"],
    ["node_modules/vitest/vitest.mjs", "run", ...rest],
  ],
  "test:long": [["node_modules/vitest/vitest.mjs", "run", "--config", "vitest.long.config.mjs", ...rest]],
  bench: [["bench/run.mjs", ...rest]],
  build: [],
};

requireNode(20, 19);
const scripts = jobs[job] ?? usage();
if (!isInstalled()) await install();
const isBuilt = existsSync(join(root, "dist", ".tsbuildinfo"));
if (!isBuilt) console.error("compiling cria's TypeScript (once) …");
process.env.CRIA_BEGAN ??= String(Date.now()); // minutes that are asked for count from here: building is part of them
await run(process.execPath, ["node_modules/typescript/bin/tsc", "-b"]);
await run(process.execPath, ["node_modules/vite/bin/vite.js", "build", "--config", "page/vite.config.mjs", "--logLevel", "warn"]);
for (const script of scripts) await run(process.execPath, script);

function requireNode(major, minor) {
  const [have, more] = process.versions.node.split(".").map(Number);
  if (have > major || (have === major && more >= minor)) return;
  console.error(`[setup] cria needs Node ${major}.${minor} or newer, this is ${process.versions.node}: install it from nodejs.org`);
  process.exit(1);
}

/** npm writes node_modules/.package-lock.json when it has finished: it must hold what package-lock.json asks for, but for other systems' parts. */
function isInstalled() {
  const done = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(done)) return false;
  const have = JSON.parse(readFileSync(done, "utf8")).packages;
  const want = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
  const same = (path) => have[path]?.integrity === want[path]?.integrity;
  return Object.keys(want).every((path) => path === "" || same(path) || (want[path].optional && !(path in have)));
}

async function install() {
  console.error("installing packages (once) …");
  const flags = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
  const npm = process.env.npm_execpath ?? "";
  if (basename(npm) === "npm-cli.js") await run(process.execPath, [npm, ...flags]);
  else await run("npm", flags, process.platform === "win32"); // npm is a .cmd file there, which only a shell runs
}

/** Waits for the command, whatever happens to us: it may be saving. Ends this process when it fails. */
async function run(command, args, shell = false) {
  const child = spawn(command, args, { cwd: root, stdio: "inherit", shell });
  // A terminal's Ctrl-C reaches the child by itself, `kill` only us. The child takes two signals at once for one.
  const forward = (signal) => child.kill(signal);
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) process.on(signal, forward);
  const [code, signal] = await new Promise((resolve) => {
    child.on("error", (error) => {
      console.error(`[setup] ${command}: ${error.message}`);
      resolve([1, null]);
    });
    child.on("close", (...ended) => resolve(ended));
  });
  for (const one of signals) process.off(one, forward);
  if (code === 0) return;
  // Ended by Ctrl-C: end the same way, so that npm ends quietly too.
  if (code === 130 || signal === "SIGINT") process.kill(process.pid, "SIGINT");
  else process.exit(code ?? 1);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  process.exit(130);
}

function usage() {
  console.error(`[setup] unknown job "${job}": one of ${Object.keys(jobs).join(", ")}`);
  process.exit(2);
}
