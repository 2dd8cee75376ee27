#!/usr/bin/env node
// The command `cria`. A clone that was never built does first what `npm start` does first: it installs packages and compiles.
// Plain JavaScript that is in the repository, because npm links a command when it installs, and never again, whether or not there is a build.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The page is what a build writes last. */
if (!existsSync(path("../dist/page/index.html"))) build();
await import("../dist/cli/main.js");

function build() {
  const setup = path("../tools/setup.mjs");
  if (!existsSync(setup)) {
    console.error(
      `[cria] ${path("..")} holds neither compiled code nor what compiles it: install a package made by \`npm pack\`, or clone`,
    );
    process.exit(1);
  }
  process.env.CRIA_BEGAN ??= String(Date.now()); // minutes that are asked for count from here, as under `npm start`
  // Standard output belongs to the command that follows.
  const { status, signal } = spawnSync(process.execPath, [setup, "build"], { stdio: ["inherit", 2, 2] });
  if (signal !== null) process.kill(process.pid, signal);
  if (status !== 0) process.exit(status ?? 1);
}

function path(relative) {
  return fileURLToPath(new URL(relative, import.meta.url));
}
