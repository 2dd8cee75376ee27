// Every study from end to end, as short as it goes: what it says then is about its own machinery only.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../backend/index.ts";
import type { ProgressEvent } from "../base/index.ts";
import { openCpuBackend } from "../host/index.ts";
import { tinyContext } from "./made-up.test.helper.ts";
import type { Report, Section } from "./report.ts";
import { reportHtml } from "./report-html.ts";
import { studies } from "./studies.ts";

let backend: Backend;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-studies-"));
  backend = await openCpuBackend({ threads: 1 }); // two would wait for each other where other tests run beside
});
afterAll(async () => {
  backend.dispose();
  await rm(folder, { recursive: true });
});

describe.each(studies.map((study) => ({ name: study.name, study })))("$name", ({ study }) => {
  test("finds, says and draws something about each of its claims; the report is whole", async () => {
    const events: ProgressEvent[] = [];
    const sections = await study.run(
      tinyContext(backend, {
        steps: study.name === "scaling" ? 8 : 2,
        folder: join(folder, study.name),
        progress: (event) => events.push(event),
      }),
    );
    expect(sections.length).toBeGreaterThan(0);
    sections.forEach(checkSection);
    expect(events.some(({ total }) => total !== undefined)).toBe(true);
    expect(events.every(({ done, total }) => total === undefined || done <= total)).toBe(true);
    const report = reportOf(study.name, sections);
    checkPage(await reportHtml(report, "cria study"));
    expect(sections.flatMap(({ charts }) => charts).length).toBeGreaterThan(0);
  });

  test("stopped at once, it ends without a result or with what needs no training", async () => {
    const sections = await study
      .run(
        tinyContext(backend, {
          steps: study.name === "scaling" ? 8 : 2,
          folder: join(folder, `${study.name}-stopped`),
          signal: AbortSignal.abort(new Error("enough")),
        }),
      )
      .catch((error: Error) => error);
    if (sections instanceof Error) expect(sections.message).toBe("enough");
    else sections.forEach(checkSection);
  });
});

function checkSection(section: Section): void {
  const { title, claim, source, verdict, conclusion, tables } = section;
  for (const text of [title, claim, source, conclusion]) expect(text.length).toBeGreaterThan(10);
  expect(["shown", "partly shown", "not shown", "too short to say"]).toContain(verdict);
  expect(conclusion).toMatch(/\d/);
  expect(conclusion).not.toMatch(/undefined|NaN|Infinity/);
  for (const { columns, rows } of tables) {
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) expect(row).toHaveLength(columns.length);
  }
}

function reportOf(study: string, sections: readonly Section[]): Report {
  const report = { study, title: study, machine: "test", text: "made up", minutes: 1, seeds: [1], seconds: 1, stopped: false, sections };
  expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  return report;
}

/** Nothing comes from elsewhere, and every drawing is there. */
function checkPage(html: string): void {
  const own = html.replaceAll("http://www.w3.org/2000/svg", "");
  expect(own).not.toMatch(/(?:src|href)=|https?:|@import|url\(|<script/);
  expect(html.match(/<svg /g)?.length).toBe(html.match(/<figure>/g)?.length);
  expect(html).toMatch(/^<!doctype html>/);
  expect(html).toMatch(/<\/html>\n$/);
}
