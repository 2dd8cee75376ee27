import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { withFolder } from "../files/with-folder.test.helper.ts";
import { commandRows } from "./commands.ts";
import { modelOfRun, modelsOfRuns, servePage } from "./page.ts";
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

test("the models of runs that are saved are offered by their paths, once they are, and no other's", () =>
  withFolder(async (folder) => {
    for (const name of ["study/a", "study/b", "c"]) {
      await mkdir(join(folder, name), { recursive: true });
      await writeFile(join(folder, name, "train.yaml"), "");
      if (name !== "c") await writeFile(join(folder, name, "model.safetensors"), "");
    }
    expect((await modelsOfRuns(folder)).map(({ name }) => name).sort()).toEqual(["study/a", "study/b"]);
    expect((await modelsOfRuns(join(folder, "study/a"))).map(({ name }) => name)).toEqual(["a"]);
    await expect(modelOfRun(join(folder, "c")).load(new AbortController().signal)).rejects.toThrow("is still being trained");
    const server = await servePage({ runs: folder, findModels: () => modelsOfRuns(folder) }, { stderr: () => undefined });
    const offered = async () => (await (await fetch(`${server.url}/page/facts`)).json()).models.sort();
    expect(await offered()).toEqual(["study/a", "study/b"]);
    await writeFile(join(folder, "c/model.safetensors"), "");
    expect(await offered()).toEqual(["c", "study/a", "study/b"]);
    await server.drain();
  }));
