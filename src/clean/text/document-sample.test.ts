import { expect, test } from "vitest";
import { Rng } from "../../base/index.ts";
import { MeasureSample, samplePlace } from "./document-sample.ts";

test("places are spread evenly, and follow from the text alone", () => {
  const rng = new Rng(1);
  const texts = Array.from({ length: 4000 }, (_, i) => `document ${i} ${rng.uint32()} `.repeat(1 + (i % 9)));
  const places = texts.map(samplePlace);
  expect(texts.map((text) => samplePlace(`${text}`))).toEqual(places);
  expect(new Set(places).size).toBe(4000);
  const tenths = new Array<number>(10).fill(0);
  for (const place of places) tenths[Math.floor(10 * place)]!++;
  // Five standard deviations of a count of 4000 draws with probability 0.1 are 95.
  for (const count of tenths) expect(Math.abs(count - 400)).toBeLessThan(95);
  for (const text of ["", "a", "\ud800"]) expect(samplePlace(text)).toBeLessThan(1);
});

test("of many measures those with the least places stay, whatever order they come in", () => {
  const rng = new Rng(2);
  const measures = Array.from({ length: 1000 }, (_, i) => ({ place: rng.below(300) / 300, value: i, group: "abc"[i % 3] ?? "" }));
  const least = [...measures].sort((a, b) => a.place - b.place || a.value - b.value).slice(0, 70);
  const groups = (list: typeof measures, most: number) => {
    const sample = new MeasureSample(most);
    for (const measure of list) sample.add(measure);
    return sample.groups();
  };
  const shuffled = measures.map((measure) => ({ measure, by: rng.uniform() })).sort((a, b) => a.by - b.by);
  const found = groups(measures, 70);
  expect(
    groups(
      shuffled.map(({ measure }) => measure),
      70,
    ),
  ).toEqual(found);
  for (const group of ["a", "b", "c"])
    expect([...(found.get(group) ?? [])]).toEqual(least.filter((one) => one.group === group).map(({ value }) => value));
  expect([...groups(measures, 5000).values()].reduce((sum, { length }) => sum + length, 0)).toBe(1000);
});
