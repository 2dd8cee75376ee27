import { expect, test } from "vitest";
import { formatProgress, LiveLine, secondsLeft, trainingNote } from "./live-line.ts";

const note = trainingNote({ loss: 3.2141, learningRate: 3e-4, gradientNorm: 0.8123, tokensPerSecond: 12_345, matmulShare: 0.638 });
const event = { task: "training", done: 120, total: 1500, unit: "steps", note };

test("a training step in full", () => {
  expect(formatProgress(event, 191.2, 200)).toBe(
    "training ━─────────────── 120/1500 steps · loss 3.214 · lr 3.0e-4 · grad 0.81 · 12.3k tokens/s · 64 % of matmul · ETA 3:12",
  );
  expect(trainingNote({ loss: 1, learningRate: 1e-3, gradientNorm: 12.34, tokensPerSecond: 950 })).toBe(
    "loss 1.000 · lr 1.0e-3 · grad 12 · 950 tokens/s",
  );
});

test("a training step with all its numbers fits 80 columns", () => {
  expect(formatProgress(event, 191.2, 79)).toBe("120/1500 loss 3.214 lr 3.0e-4 grad 0.81 12.3k tokens/s 64 % of matmul ETA 3:12");
});

test("a narrow terminal loses the bar, then notes from the last on, and nothing ever sticks out", () => {
  expect(formatProgress(event, 191.2, 106)).not.toContain("─");
  expect(formatProgress(event, 191.2, 106)).toContain("matmul");
  expect(formatProgress(event, 191.2, 60)).toBe("training 120/1500 steps · loss 3.214 · lr 3.0e-4 · ETA 3:12");
  expect(formatProgress(event, 191.2, 25)).toBe("training 120/1500 steps");
  for (let width = 1; width < 130; width++) expect([...formatProgress(event, 191.2, width)].length).toBeLessThanOrEqual(width);
});

test("counts and times", () => {
  const line = (done: number, total: number | undefined, eta?: number) =>
    formatProgress({ task: "t", done, unit: "bytes", ...(total === undefined ? {} : { total }) }, eta, 80);
  expect(line(12, undefined)).toBe("t 12 bytes");
  expect(line(1_234_567, 2e9, 7)).toBe("t ──────────────── 1.23M/2.00G bytes · ETA 0:07");
  expect(line(5, 5, 3723)).toBe("t ━━━━━━━━━━━━━━━━ 5/5 bytes · ETA 1:02:03");
  expect(line(0, 0)).toBe("t ──────────────── 0/0 bytes");
});

test("the time left follows from what was done since the first event, so that a resumed run tells the truth", () => {
  const at = (done: number, ms: number) => ({ event: { ...event, done }, at: ms });
  expect(secondsLeft(at(1000, 0), at(1100, 10_000))).toBe(40);
  expect(secondsLeft(at(1000, 0), at(1000, 10_000))).toBeUndefined();
  const endless = { task: "t", done: 5, unit: "steps" };
  expect(secondsLeft({ event: { ...endless, done: 0 }, at: 0 }, { event: endless, at: 1000 })).toBeUndefined();
});

test("draws at most every 100 ms, and clears itself away", () => {
  let [now, written] = [0, ""];
  const stream = { columns: 60, write: (text: string) => (written += text) };
  const line = new LiveLine(stream, () => now);
  for (; now < 1000; now += 10) line.update({ task: "t", done: now, total: 1000, unit: "u" });
  expect(written.split("\r").length - 1).toBe(10);
  expect(written).toContain("\rt ━━━━━━━━──────── 500/1000 u · ETA 0:01\x1b[K");
  line.clear();
  expect(written.endsWith("\r\x1b[K")).toBe(true);
  const before = written;
  line.clear();
  expect(written).toBe(before);
});
