import { expect, test } from "vitest";
import { CriaError } from "../base/index.ts";
import { againWhenStale, explainIo } from "./index.ts";

const stale = () => Object.assign(new Error("ESTALE: stale file handle, read"), { code: "ESTALE" });

async function triesOf(errors: readonly Error[]): Promise<{ readonly tries: number; readonly result: PromiseSettledResult<string> }> {
  let tries = 0;
  const [result] = await Promise.allSettled([
    againWhenStale(async () => {
      const error = errors[tries++];
      if (error !== undefined) throw error;
      return "done";
    }),
  ]);
  return { tries, result: result! };
}

test("what read a file that was replaced is done again, three times in all, and nothing else is", async () => {
  expect(await triesOf([stale(), explainIo("here", "a", stale())])).toMatchObject({ tries: 3, result: { value: "done" } });
  const always = await triesOf([stale(), stale(), explainIo("here", "a", stale()), stale()]);
  expect(always.tries).toBe(3);
  expect((always.result as PromiseRejectedResult).reason).toEqual(
    new CriaError("here", "a: another machine replaced it while it was read: run again"),
  );
  expect(await triesOf([new CriaError("here", "another")])).toMatchObject({ tries: 1, result: { status: "rejected" } });
});
