// Every study, stopped at many moments: what it then says rests on what was measured.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../backend/index.ts";
import { CriaError } from "../base/index.ts";
import { openCpuBackend } from "../host/index.ts";
import { tinyContext } from "./made-up.test.helper.ts";
import { studies } from "./studies.ts";

let folder: string;
let backend: Backend;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-stopped-"));
  backend = await openCpuBackend({ threads: 2 });
});
afterAll(async () => {
  await backend.dispose();
  await rm(folder, { recursive: true, force: true });
});

describe.each(studies)("$name", (study) => {
  test("stopped anywhere, it says nothing of what was not measured", async () => {
    const events = await run(Number.POSITIVE_INFINITY, "whole");
    for (let part = 1; part <= 12; part++) await run(Math.floor((events * part) / 13), `part-${part}`);
  });

  /** Stops at the progress event of this number; gives the events that there were. */
  async function run(stopAt: number, name: string): Promise<number> {
    const stop = new AbortController();
    let events = 0;
    const progress = () => {
      if (++events === stopAt) stop.abort(new CriaError("cria", "interrupted"));
    };
    const steps = study.name === "scaling" ? 8 : 2;
    const context = tinyContext(backend, {
      folder: join(folder, `${study.name}-${name}`),
      steps,
      seeds: [1, 2],
      signal: stop.signal,
      progress,
    });
    const sections = await study.run(context).catch((error: Error) => {
      expect(error.message).toBe("[cria] interrupted");
      return [];
    });
    for (const { title, verdict, conclusion, tables } of sections) {
      expect(`${title}: ${conclusion} ${JSON.stringify(tables)}`).not.toMatch(/undefined|NaN(?!\))|Infinity|null/);
      if (/^Stopped after/.test(conclusion)) expect(verdict).toBe("too short to say");
    }
    return events;
  }
});
