import { expect, test } from "vitest";
import { CriaError, UsageError } from "../base/index.ts";
import { type Command, type CommandGroup, type CommandRows, rowOf } from "./command.ts";
import { commandRows } from "./commands.ts";
import { runCli, type Terminal } from "./run.ts";
import { runWords } from "./terminal.test.helper.ts";

const command = (name: string, run: Command["run"]): Command => ({
  name,
  summary: `does ${name}`,
  usage: "[--steps N] FILE...",
  flags: [{ name: "steps", type: "number", default: 3, help: "how many" }],
  run,
});
const group: CommandGroup = {
  name: "tokenizer",
  summary: "tokenizers",
  commands: [command("train", async () => 0), command("encode", async () => 0)].map(rowOf),
};
const rows: CommandRows = [
  rowOf(
    command("echo", async (args, flags, io) => {
      io.stdout(JSON.stringify({ args, flags, json: io.json }));
      return 0;
    }),
  ),
  rowOf(
    command("rule", async () => {
      throw new CriaError("rule", "broken: mend it");
    }),
  ),
  rowOf(
    command("wrong", async () => {
      throw new UsageError("wrong", "no file is named");
    }),
  ),
  rowOf(
    command("bug", async () => {
      throw new TypeError("x is not a function");
    }),
  ),
  rowOf(
    command("disk", async () => {
      throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC", syscall: "write", path: "/full/model" });
    }),
  ),
  rowOf(group),
];

function run(line: string, more: Partial<Terminal> = {}) {
  return runWords(line.split(" ").filter(Boolean), rows, more);
}

test("a command gets its arguments, its flags and nothing of the frame's", async () => {
  const { code, stdout } = await run("echo a --steps 5 b --json");
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual({ args: ["a", "b"], flags: { steps: 5 }, json: true });
  expect(JSON.parse((await run("--json echo -- --json")).stdout)).toMatchObject({ args: ["--json"], json: true });
});

test("help lists what there is, from the rows", async () => {
  const main = await run("--help");
  expect(main).toMatchObject({ code: 0, stderr: "" });
  for (const one of rows) expect(main.stdout).toContain(`${one.name.padEnd(9)}  ${one.summary}`);
  expect((await run("tokenizer --help")).stdout).toContain("train   does train");
  const help = (await run("tokenizer train --help")).stdout;
  expect(help).toContain("usage: cria tokenizer train [--steps N] FILE...");
  expect(help).toContain("--steps N  how many (default 3)");
  expect((await run("help tokenizer train")).stdout).toBe(help);
  expect((await run("tokenizer train -h")).stdout).toBe(help);
  expect(JSON.parse((await run("tokenizer train --help --json")).stdout)).toMatchObject({ name: "tokenizer train" });
  expect(JSON.parse((await run("--help --json")).stdout)).toHaveLength(rows.length);
});

test("nothing to do is a wrong use, with help on stderr", async () => {
  expect(await run("")).toMatchObject({ code: 2, stdout: "", stderr: (await run("--help")).stdout });
  expect(await run("tokenizer")).toMatchObject({ code: 2, stdout: "" });
  for (const line of ["--version", "version", "-V"]) expect((await run(line)).stdout).toBe("9.9.9\n");
  expect(JSON.parse((await run("version --json")).stdout)).toEqual({ version: "9.9.9" });
});

test.each([
  ["ecko", 2, '[cria] unknown command "ecko", did you mean "echo"?\n'],
  ["zzzzzz", 2, '[cria] unknown command "zzzzzz": there are echo, rule, wrong, bug, disk, tokenizer\n'],
  ["tokenizer trian", 2, '[tokenizer] unknown command "trian", did you mean "train"?\n'],
  ["tokenizer train --setps 3", 2, '[tokenizer train] unknown flag --setps, did you mean "--steps"?\n'],
  ["rule", 1, "[rule] broken: mend it\n"],
  ["wrong", 2, "[wrong] no file is named\n"],
  ["bug", 1, "[cria] x is not a function: this is a bug in cria, CRIA_DEBUG=1 shows where\n"],
  ["disk", 1, "[cria] /full/model: the disk is full: free some space and run again; what was there before is intact\n"],
])("%s ends with %d", async (line, code, stderr) => {
  expect(await run(line)).toEqual({ code, stdout: "", stderr });
  const json = await run(`${line} --json`);
  expect(json).toMatchObject({ code, stderr });
  expect(JSON.parse(json.stdout).error.message).toBe(stderr.trimEnd());
});

test("CRIA_DEBUG shows the stack and its causes", async () => {
  const { stderr } = await run("bug", { debug: true });
  expect(stderr).toMatch(/x is not a function[\s\S]*caused by: TypeError[\s\S]*run\.test/);
});

test("--json silences progress", async () => {
  let told = 0;
  const loud = command("loud", async (_args, _flags, io) => {
    io.progress({ task: "t", done: 1, unit: "u" });
    return 0;
  });
  const terminal = { progress: () => told++ } as unknown as Terminal;
  const quiet = { stdout: () => {}, stderr: () => {}, signal: new AbortController().signal };
  await runCli(["loud", "--json"], [rowOf(loud)], { ...terminal, ...quiet });
  expect(told).toBe(0);
  await runCli(["loud"], [rowOf(loud)], { ...terminal, ...quiet });
  expect(told).toBe(1);
});

test("every registered command carries its row's name and summary, and help for every flag", async () => {
  for (const one of commandRows) {
    const loaded = await one.load();
    expect(loaded).toMatchObject({ name: one.name, summary: one.summary });
    for (const row of "commands" in loaded ? loaded.commands : [{ ...one, load: async () => loaded }]) {
      const each = await row.load();
      expect(each).toMatchObject({ name: row.name, summary: row.summary });
      for (const flag of each.flags) expect(flag.help, `${one.name} ${each.name} --${flag.name}`).not.toBe("");
    }
  }
});
