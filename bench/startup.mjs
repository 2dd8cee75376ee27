// Seconds from the command to the first training step, packages installed and everything compiled: how long `npm start` makes a person wait.
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export async function run() {
  const folder = await mkdtemp(join(tmpdir(), "cria-bench-"));
  const start = performance.now();
  const child = spawn(process.execPath, ["tools/setup.mjs", "demo", "--minutes", "1", "--out", join(folder, "run")], {
    cwd: new URL("..", import.meta.url),
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  for await (const chunk of child.stdout) {
    output += chunk;
    const line = output.split("\n").find((text) => text.startsWith("training"));
    if (!line) continue;
    console.log(`${((performance.now() - start) / 1000).toFixed(1)} s from the command to the first training step`);
    break;
  }
  child.kill("SIGINT");
  await new Promise((done) => child.once("close", done));
  await rm(folder, { recursive: true, force: true });
}
