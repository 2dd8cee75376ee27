import { expect, test } from "vitest";
import { Checksum } from "./index.ts";

test("a piece without bytes changes no checksum", () => {
  const checksum = new Checksum();
  checksum.add(Buffer.from("123456789"));
  for (const empty of [Buffer.concat([]), Buffer.alloc(0), new Uint8Array()]) checksum.add(empty);
  expect(checksum.value).toBe(0xcbf43926);
});
