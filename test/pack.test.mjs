// What a person gets from the registry: the package, packed, installed into an empty folder elsewhere, run and imported.
import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
let folder;
let app;
let packed;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-pack-"));
  app = join(folder, "an app");
  await mkdir(app);
  await writeFile(join(app, "package.json"), JSON.stringify({ private: true, type: "module" }));
  // Whoever runs the tests has built: packing builds nothing again, as that would replace the page while other tests look at it.
  const [report] = JSON.parse((await npm(root, "pack", "--ignore-scripts", "--json", "--pack-destination", folder)).stdout);
  packed = report.files.map((file) => file.path);
  await npm(app, "install", "--prefer-offline", "--no-audit", "--no-fund", join(folder, report.filename));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("holds what runs and its types, the page that is served, and nothing else", async () => {
  const needed = [
    "package.json",
    "LICENSE",
    "dist/index.js",
    "dist/index.d.ts",
    "bin/cria.mjs",
    "dist/cli/main.js",
    "dist/page/index.html",
    "recipes/demo.yaml",
  ];
  for (const path of needed) expect(packed).toContain(path);
  const page = await readFile(join(root, "dist/page/index.html"), "utf8");
  for (const [, path] of page.matchAll(/(?:src|href)="\.\/([^"]+)"/g)) expect(packed).toContain(`dist/page/${path}`);
  const stray = packed.filter(
    (path) =>
      !/^(?:dist\/.*\.(?:js|d\.ts)|bin\/cria\.mjs|recipes\/\w+\.yaml|package\.json|LICENSE|README\.md)$/.test(path) && !isOfPage(path),
  );
  expect(stray).toEqual([]);
  expect(packed.filter((path) => /\.test\.|\.map$|node_modules/.test(path))).toEqual([]);
});

test("asks for no more packages than the lock file holds, and none of them runs a script when it is installed", async () => {
  const installed = (await readdir(join(app, "node_modules"))).filter((name) => !name.startsWith("."));
  const { packages } = JSON.parse(await readFile(join(root, "package-lock.json"), "utf8"));
  const rows = Object.entries(packages).filter(([path]) => path !== "");
  const names = (kept) => [
    ...new Set(rows.filter(([, row]) => kept(row)).map(([path]) => path.split("node_modules/").at(-1).split("/")[0])),
  ];
  // What is optional may be absent; koffi's prebuilt library is a package of its own.
  const optional = names(({ optional, peer }) => optional || peer);
  const needed = names(({ dev, devOptional, optional, peer }) => !dev && !devOptional && !optional && !peer);
  expect(installed.filter((name) => !optional.includes(name)).sort()).toEqual(["cria", ...needed].sort());
  expect(rows.filter(([, { dev, optional, hasInstallScript }]) => hasInstallScript && !dev && !optional)).toEqual([]);
});

test("gives a working cria", async () => {
  expect((await npm(app, "exec", "--no", "--", "cria", "--version")).stdout.trim()).toBe(version);
  const help = await run(process.execPath, ["node_modules/cria/bin/cria.mjs", "--help"], app);
  expect(help.stdout).toContain("usage: cria COMMAND");
});

test("does without the packages that draw charts; what draws one names them", async () => {
  expect(await readdir(join(app, "node_modules"))).not.toContain("linkedom");
  const drawing = run(process.execPath, ["node_modules/cria/bin/cria.mjs", "plan", "--flops", "1e20", "--svg", "plan.svg"], app);
  await expect(drawing).rejects.toThrow(
    "[plot] charts are drawn by the package @observablehq/plot, which is not installed: npm install @observablehq/plot linkedom",
  );
  expect(await readdir(app)).not.toContain("plan.svg");
});

test("gives a library that runs: a model that is not there is an error of cria's, not of the import", async () => {
  await writeFile(
    join(app, "run.mjs"),
    `import { CriaError, Llama, openModel } from "cria";
     for (const open of [Llama.load, openModel])
       await open("no model").catch((error) => console.log(error instanceof CriaError, error.message));`,
  );
  const line = "true [model] no model: no such file or folder: check the path\n";
  expect((await run(process.execPath, ["run.mjs"], app)).stdout).toBe(line + line);
});

test("gives typed imports that a strict project can use, without types of Node and with every declaration checked", async () => {
  await copyFile(join(root, "examples/using.ts"), join(app, "using.ts"));
  await writeFile(
    join(app, "use.ts"),
    `import { CriaError, Llama, type GenerateOptions, type LlamaConfig, type OnProgress, type OpenModel, type Tokenizer } from "cria";
     import { write } from "./using.js";
     export const options: GenerateOptions = { maxTokens: 9, temperature: 0, stop: ["."] };
     const path = ${JSON.stringify(join(root, "test/fixtures/2026-11-28/run"))};
     export const same: boolean = (await write(path, "The")) === (await write(path, "The"));
     export const ids = (tokenizer: Tokenizer): number[] => [...tokenizer.encode("a b", { bos: true })];
     export const headSize = ({ dim, nHeads }: LlamaConfig): number => dim / nHeads;
     export const parameters = ({ tensors }: OpenModel): number => tensors.tensors.size;
     // @ts-expect-error a model is a name
     export const wrong = () => Llama.load(7);
     const tell: OnProgress = ({ task, done }) => console.log(task, done.toFixed(0));
     tell({ task: new CriaError("here", "x is 1, not 2").where, done: Number(same), unit: "steps" });
     // @ts-expect-error a number is no place
     new CriaError(1, "x");`,
  );
  await writeFile(
    join(app, "doors.ts"),
    `import { type Conversion, convertModel } from "cria/convert";
     import { type DataRecipe, parseDataRecipe } from "cria/data";
     import { laws, solve } from "cria/plan";
     import { createTokenizer, trainTokenizer, type Tokenizer } from "cria/tokenizer";
     import { beginRun, type TrainSummary } from "cria/train";
     import { blobSource, type ByteSource } from "cria/web";
     export const size: number = solve(laws.hoffmann, { flops: 1e20 }).parameters;
     export const learnt = async (texts: string[]): Promise<Tokenizer> =>
       createTokenizer(await trainTokenizer(texts, { kind: "word", vocabSize: 300 }));
     export const recipe: DataRecipe = parseDataRecipe({ sources: [{ paths: "text.txt" }] });
     export const run = (): Promise<TrainSummary> => beginRun("train.yaml", "run", { signal: AbortSignal.timeout(9) });
     export const small = (): Promise<Conversion> => convertModel("run", "run.gguf", { type: "q4_K_M", signal: AbortSignal.timeout(9) });
     export const source = (file: Blob): ByteSource => blobSource(file);
     // @ts-expect-error no door brings what only Node has
     export const bytes = Buffer.alloc(1);`,
  );
  const options = { strict: true, noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true, verbatimModuleSyntax: true };
  const modules = { module: "nodenext", target: "es2022", lib: ["es2023", "esnext.disposable", "dom"], types: [], skipLibCheck: false };
  await writeFile(
    join(app, "tsconfig.json"),
    JSON.stringify({ compilerOptions: { ...options, ...modules }, files: ["use.ts", "doors.ts"] }),
  );
  expect((await run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", "."], app)).stdout).toBe("");
  expect((await run(process.execPath, ["use.js"], app)).stdout).toBe("here 1\n");
});

/** Whether a file is one that a bundler makes of the page: its HTML, icon, styles and script. */
function isOfPage(path) {
  return /^dist\/page\/(?:index\.html|icon\.svg|assets\/[\w-]+\.(?:js|css))$/.test(path);
}

/** Runs npm as the process that started us did, else from the PATH. */
function npm(cwd, ...args) {
  const cli = process.env.npm_execpath ?? "";
  if (cli.endsWith("npm-cli.js")) return run(process.execPath, [cli, ...args], cwd);
  return run("npm", args, cwd, process.platform === "win32");
}

function run(command, args, cwd, shell = false) {
  return new Promise((resolve, reject) => {
    execFile(command, args, { cwd, shell, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      if (error === null) resolve({ stdout, stderr });
      else reject(new Error(`${command} ${args.join(" ")} ended with ${error.code}:\n${stdout}\n${stderr}`));
    });
  });
}
