import { expect, test } from "vitest";
import { LogLines } from "./log-lines.ts";

test("a line per minute, and none of short work", () => {
  let [now, written] = [0, ""];
  const lines = new LogLines({ write: (text: string) => (written += text) }, () => now);
  for (; now < 200_000; now += 500) lines.update({ task: "cleaning", done: now, total: 200_000, unit: "bytes", note: "web" });
  expect(written.split("\n")).toEqual([
    "cleaning ━━━━━─────────── 60000/200k bytes · web · ETA 2:20",
    "cleaning ━━━━━━━━━━────── 120k/200k bytes · web · ETA 1:20",
    "cleaning ━━━━━━━━━━━━━━── 180k/200k bytes · web · ETA 0:20",
    "",
  ]);
  const short = new LogLines({ write: () => expect.fail("short work wrote a line") }, () => now);
  for (let i = 0; i < 50; i++, now += 1000) short.update({ task: "cleaning", done: i, unit: "bytes" });
});
