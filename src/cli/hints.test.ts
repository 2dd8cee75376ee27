import { expect, test } from "vitest";
import { callAgain, callerOf, hintLines, promptFrom } from "./hints.ts";

test.each([
  ["npm start", "/app/bin/cria.mjs", { npm_command: "run-script", npm_lifecycle_event: "start" }, "npx cria", "npm start --"],
  ["npx", "/app/node_modules/.bin/cria", { npm_command: "exec", npm_lifecycle_event: "npx" }, "npx cria", "npx cria demo"],
  ["npx in a clone", "/app/bin/cria.mjs", { npm_command: "exec", npm_lifecycle_event: "npx" }, "npx cria", "npx cria demo"],
  ["a local install's own link", "/app/node_modules/.bin/cria", {}, "npx cria", "npx cria demo"],
  ["a global install", "/usr/local/bin/cria", {}, "cria", "cria demo"],
  ["a global install on Windows", "C:\\npm\\node_modules\\cria\\bin\\cria.mjs", {}, "cria", "cria demo"],
  [
    "node from elsewhere",
    "/elsewhere/cria/bin/cria.mjs",
    {},
    "node /elsewhere/cria/bin/cria.mjs",
    "node /elsewhere/cria/bin/cria.mjs demo",
  ],
  ["node", "/app/bin/cria.mjs", {}, "node bin/cria.mjs", "node bin/cria.mjs demo"],
])("called by %s", (_, script, env, cria, demo) => {
  expect(callerOf({ script, env, cwd: "/app" })).toEqual({ cria, demo });
});

test("words are quoted as a shell wants them", () => {
  const caller = { cria: "npx cria", demo: "npm start --" };
  expect(callAgain(caller, "train", "runs/a", "--resume")).toBe("npx cria train runs/a --resume");
  expect(callAgain(caller, "generate", "my runs/ä", "Once upon")).toBe('npx cria generate "my runs/ä" "Once upon"');
  expect(callAgain(caller, "generate", "a", "")).toBe('npx cria generate a ""');
  expect(callAgain(caller, "demo", "--minutes", "30")).toBe("npm start -- --minutes 30");
});

test.skipIf(process.platform === "win32")("what a shell would expand is quoted against it", () => {
  expect(callAgain({ cria: "cria", demo: "" }, "generate", "a$b", 'it\'s "so"')).toBe(`cria generate 'a$b' 'it'\\''s "so"'`);
});

test("hints stand side by side where they fit, and are never wrapped where there is no terminal", () => {
  const hints = [
    ["npx cria generate runs/demo 吾輩", "let it write"],
    ["npx cria inspect runs/demo", "look inside"],
  ] as const;
  const wide = ["  npx cria generate runs/demo 吾輩   let it write", "  npx cria inspect runs/demo         look inside"];
  expect(hintLines(hints, 80)).toEqual(wide);
  expect(hintLines(hints, Number.POSITIVE_INFINITY)).toEqual(wide);
  expect(hintLines(hints, 40)).toEqual([
    ...["  npx cria generate runs/demo 吾輩", "      let it write"],
    ...["  npx cria inspect runs/demo", "      look inside"],
  ]);
});

test.each([
  ["Once upon a time, there was a king.", "Once upon a time, there"],
  ["Yes. It is so.", "Yes"],
  ["\n  - 3. “Alice” was beginning to get very tired", "Alice"],
  ["吾輩は猫である。名前はまだ無い。", "吾輩は猫である"],
  ["Все счастливые семьи похожи друг на друга", "Все счастливые семьи похожи друг"],
  ["ประเทศไทยรวมเลือดเนื้อชาติเชื้อไทย", "ประเทศไทยรวมเลือดเนื้อชาติ"],
  ["--help me $HOME", "help me"],
  ["x".repeat(1000), ""],
  ["123 456\n…", ""],
])("%j gives a prompt", (text, prompt) => {
  expect(promptFrom(text)).toBe(prompt);
});
