import { expect, test } from "vitest";
import { withFolder } from "../files/with-folder.test.helper.ts";
import { commandRows } from "./commands.ts";
import { servePage } from "./page.ts";
import { runWords } from "./terminal.test.helper.ts";

test("only a folder is watched", async () => {
  expect(await runWords(["watch", "nowhere/at/all"], commandRows)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("is no folder"),
  });
  expect(await runWords(["watch", "a", "b"], commandRows)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("2 folders are given"),
  });
});

test("a port that is taken is said: the next one is taken where none was asked for, and refused where one was", () =>
  withFolder(async (folder) => {
    const said: string[] = [];
    const io = { stderr: (text: string) => said.push(text) };
    const first = await servePage({ runs: folder }, io);
    const second = await servePage({ runs: folder }, io);
    const port = Number(new URL(first.url).port);
    expect(Number(new URL(second.url).port)).toBeGreaterThan(port);
    expect(said.at(-1)).toMatch(/^port 8080 is taken, so the page has port \d+\n$/);
    await expect(servePage({ runs: folder, port }, io)).rejects.toThrow("is taken by another program");
    const facts = await (await fetch(`${second.url}/page/facts`)).json();
    expect(facts).toMatchObject({ hasRuns: true, models: [] });
    await Promise.all([first.drain(), second.drain()]);
  }));
