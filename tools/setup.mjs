// What `npm start`, `npm test` and `npm run bench` run: install, build, then the job. Plain JavaScript, because nothing is installed yet.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const [job = "demo", ...rest] = process.argv.slice(2);

/** Every job is a list of commands; the first that fails ends it with its exit code. */
const jobs = {
  demo: [["node", "dist/cli/main.js", "demo", ...rest]],
  test: [
    ["npx", "--no-install", "biome", "check", "--error-on-warnings", "."],
    ["node", "tools/check-rooms.mjs"],
    ["npx", "--no-install", "vitest", "run", ...rest],
  ],
  bench: [["node", "bench/run.mjs", ...rest]],
};

requireNode(20);
install();
run(["npx", "--no-install", "tsc", "-b"]);
for (const command of jobs[job] ?? usage()) run(command);

function requireNode(major) {
  const have = Number(process.versions.node.split(".")[0]);
  if (have >= major) return;
  console.error(`[setup] cria needs Node ${major} or newer, this is ${process.versions.node}: install it from nodejs.org`);
  process.exit(1);
}

/** Installs when node_modules is absent or older than the lock file: the stamp holds the lock file it was installed from. */
function install() {
  const lock = readFileSync(join(root, "package-lock.json"), "utf8");
  const stamp = join(root, "node_modules", ".cria-lock");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return;
  console.error("installing packages (once) …");
  run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"]);
  writeFileSync(stamp, lock);
}

function run([command, ...args]) {
  // A shell only on Windows, where npm and npx are .cmd files.
  const result = spawnSync(command, args, { cwd: root, stdio: "inherit", shell: process.platform === "win32" && command !== "node" });
  if (result.error) console.error(`[setup] ${command}: ${result.error.message}`);
  if (result.status !== 0) process.exit(result.status ?? (result.signal === "SIGINT" ? 130 : 1));
}

function usage() {
  console.error(`[setup] unknown job "${job}": one of ${Object.keys(jobs).join(", ")}`);
  process.exit(2);
}
