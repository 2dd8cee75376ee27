import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { folderForAll, withFolder, writeTinyChat, writeTinyFolder } from "../load/tiny-model.test.helper.ts";
import { commandRows } from "./commands.ts";
import { runWords } from "./terminal.test.helper.ts";

const run = (words: readonly string[]) => runWords(words, commandRows);
const json = async (words: readonly string[]) => JSON.parse((await run([...words, "--json"])).stdout);

let folder: string;
const made = folderForAll(async (at) => writeTinyFolder(at));
beforeAll(() => {
  folder = made();
});

describe("cria generate --session", () => {
  const greedy = ["--temperature", "0", "--max-tokens"];

  test("goes on where it was, as a text that was not interrupted, and computes nothing again", () =>
    withFolder(async (at) => {
      const session = join(at, "a.session");
      const words = ["generate", folder, "ab a", ...greedy];
      const whole = await json([...words, "12"]);
      const goOn = (prompt: string, tokens: number) =>
        run(["generate", folder, prompt, ...greedy, `${tokens}`, "--session", session, "--json"]);
      const [first, second, third] = [await goOn("ab a", 5), await goOn("", 4), await goOn("", 3)];
      expect(first).toMatchObject({ code: 0, stderr: `session ${session}: it is not there yet, and begins\n` });
      expect(second.stderr).toBe(`session ${session}: 9 tokens found, nothing is computed again\n`);
      const told = [first, second, third].map(({ stdout }) => JSON.parse(stdout));
      expect(told.flatMap(({ tokens }) => tokens)).toEqual(whole.tokens);
      expect(told[2].session).toEqual({ path: session, foundTokens: 13, restoredTokens: 13, savedTokens: 16 });
      expect(told[2].prompt).toBe(`ab a${told[0].text}${told[1].text}`);
      const more = ["--session", join(at, "b.session")];
      const { text } = await json([...words, "1", ...more]);
      expect((await json(["generate", folder, " b", ...greedy, "1", ...more])).prompt).toBe(`ab a${text} b`);
    }));

  test("keeps special pieces that were spelled out as their ids, and goes on with them alone", () =>
    withFolder(async (at) => {
      const session = join(at, "a.session");
      const goOn = (prompt: string, ...more: string[]) =>
        run(["generate", folder, prompt, ...greedy, "2", "--session", session, "--json", ...more]);
      const first = JSON.parse((await goOn("a<s>b", "--special")).stdout);
      const spelled = await json(["generate", folder, "a<s>b", ...greedy, "2"]);
      expect(first.promptTokens).toBeLessThan(spelled.promptTokens);
      expect(first.session.savedTokens).toBe(first.promptTokens + 2);
      expect((await goOn("", "--special")).stderr).toContain(`${first.promptTokens + 2} tokens found, nothing is computed again`);
      expect(await goOn(" b")).toMatchObject({ code: 2, stderr: expect.stringContaining("begun with --special: add it") });
      const plain = ["generate", folder, "a", ...greedy, "2", "--session", join(at, "b.session")];
      await run(plain);
      expect(await run([...plain, "--special"])).toMatchObject({ code: 2, stderr: expect.stringContaining("begun without it: omit it") });
    }));

  test("keeps the messages of a chat, and the answers to them", () =>
    withFolder(async (at) => {
      await writeTinyFolder(at);
      await writeTinyChat(at);
      const session = join(at, "a.session");
      const words = ["--chat", ...greedy, "3", "--session", session];
      const first = await json(["generate", at, "a", "--system", "b", ...words]);
      const second = await json(["generate", at, "b", ...words]);
      expect(second.messages).toEqual([...first.messages, { role: "assistant", content: first.text }, { role: "user", content: "b" }]);
      expect(second.session).toMatchObject({ foundTokens: first.session.savedTokens, restoredTokens: first.session.savedTokens });
      for (const [given, message] of [
        [["generate", at, "b", "--system", "b", ...words], "--system stands at a chat's beginning"],
        [["generate", at, "b", ...greedy, "3", "--session", session], "holds a chat: add --chat, or name another file"],
      ] as const)
        expect((await run(given)).stderr).toContain(message);
    }));

  test("refuses files of other kinds and models, and leaves them as they are", () =>
    withFolder(async (at) => {
      const session = join(at, "a.session");
      const words = ["generate", folder, "ab", ...greedy, "2", "--session", session];
      await writeFile(session, "a text");
      expect(await run(words)).toMatchObject({ code: 1, stderr: expect.stringContaining(`${session} is no saved sequence`) });
      expect(await readFile(session, "utf8")).toBe("a text");
      const other = join(at, "other.session");
      const at16 = [...words.slice(0, -1), other];
      expect((await run([...at16, "--cache", "f16"])).code).toBe(0);
      expect(await run(at16)).toMatchObject({ code: 1, stderr: expect.stringMatching(/keys and values of f16, .*f32: .*\(--cache\)/) });
      expect(await run([...words, "--context-end", "slide"])).toMatchObject({
        code: 2,
        stderr: expect.stringContaining("omit one of them"),
      });
      expect(await run(["generate", folder, "--messages", "x.json", "--session", other])).toMatchObject({ code: 1 });
      const full = [...greedy, "20", "--context", "8", "--session", join(at, "full.session")];
      expect((await run(["generate", folder, "ab", ...full])).stderr).toContain("it fills the context of 8 tokens");
      expect((await run(["generate", folder, "", ...full])).stderr).toContain("8 tokens found");
    }));
});

describe("cria embed", () => {
  test("prints a vector for each text, of length 1 unless it is raw", () =>
    withFolder(async (at) => {
      const { embeddings, dim, pooling } = await json(["embed", folder, "ab", "b a"]);
      expect([dim, pooling]).toEqual([16, "mean"]);
      for (const { embedding } of embeddings) expect(Math.hypot(...embedding)).toBeCloseTo(1, 6);
      const lines = (text: string) =>
        text
          .trimEnd()
          .split("\n")
          .map((line) => line.split(" ").map(Number));
      expect(lines((await run(["embed", folder, "ab", "b a"])).stdout)).toEqual(
        embeddings.map(({ embedding }: { embedding: number[] }) => embedding),
      );
      await writeFile(join(at, "texts"), "ab\n\nb a\r\n");
      const file = ["embed", folder, "--file", join(at, "texts")];
      expect((await json(file)).embeddings).toEqual(embeddings);
      const raw = await json([...file, "--raw", "--pooling", "last"]);
      expect(raw).toMatchObject({ pooling: "last", normalised: false });
      expect(raw.embeddings[0].embedding).not.toEqual(embeddings[0].embedding);
    }));

  test("says what is missing or too long", async () => {
    for (const [words, code, message] of [
      [["embed"], 2, "MODEL is missing"],
      [["embed", folder], 2, "the texts are missing"],
      [["embed", folder, "a", "--file", "x"], 2, "is given beside --file x"],
      [["embed", folder, "a", "--pooling", "max"], 2, '--pooling is "max"'],
      [["embed", folder, "a", "ab ".repeat(40)], 1, "text 1 has"],
    ] as const)
      expect(await run(words)).toMatchObject({ code, stdout: "", stderr: expect.stringContaining(message) });
  });
});
