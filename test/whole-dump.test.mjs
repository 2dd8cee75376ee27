// The plan of a whole dump in the guide is what its script prints.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { planText, usual } from "../bench/whole-dump.mjs";

const read = (name) => readFileSync(new URL(`../${name}`, import.meta.url), "utf8");
const rates = JSON.parse(read("bench/whole-dump.json"));
const hoursOf = (text) => Number(/^\| all \|[^|]*\|[^|]*\| ([\d.]+)/m.exec(text)[1]);

test("the guide's plan for 1,000 cores is what the script prints", async () => {
  expect(read("docs/guide/whole-dump.md")).toContain(await planText(rates, usual));
});

test("fewer cores and a faster file system leave the cores as the bound", async () => {
  const slow = await planText(rates, { ...usual, cores: 100, bandwidth: 1e12, opens: 1e9 });
  expect(hoursOf(slow)).toBeGreaterThan(5 * hoursOf(await planText(rates, usual)));
  expect(slow.match(/\| cores \|/g)).toHaveLength(5);
});

test("little memory has keys read several times", async () => {
  const text = await planText(rates, { ...usual, machineMemory: 8e9 });
  const read = (plan) => Number(/1 compare.*\| ([\d.]+) TB \|/.exec(plan)[1]);
  expect(read(text)).toBeGreaterThan(read(await planText(rates, usual)));
});
