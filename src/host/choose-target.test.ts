import { expect, test } from "vitest";
import { UsageError } from "../base/index.ts";
import { chooseTarget, targetNames } from "./choose-target.ts";
import { type Native, type Opened, openNative } from "./native.ts";

/** A machine whose CPUID and XGETBV answer with these words: all features, or those that fit in ymm registers. */
function machine(extendedControl: number): () => Promise<Opened> {
  const pages = { address: 0, bytes: 0 };
  const native = {
    convention: "systemV",
    mapCode: () => pages,
    unmap: () => undefined,
    callableForNumber: (_address: number, params: number) => () => (params === 0 ? extendedControl : 0xffff_ffff_ffff_ffffn),
  } as unknown as Native;
  return async () => ({ native });
}

const refused = async (): Promise<Opened> => ({ why: "the package koffi is not there" });

test("the widest that works is chosen, and says why", async () => {
  expect(await chooseTarget("", machine(0xe6))).toMatchObject({
    name: "avx512",
    isFallback: false,
    reason: expect.stringContaining("512"),
  });
  expect((await chooseTarget("", machine(0xe6))).machine?.target).toMatchObject({ bf16Dot: true, int8Dot: true });
  expect(await chooseTarget("", machine(0x06))).toMatchObject({ name: "avx2", machine: { target: { bf16Dot: false, int8Dot: false } } });
  const none = await chooseTarget("", machine(0x02));
  expect(none).toMatchObject({ name: "wasm", isFallback: true });
  expect(none.reason).toBe("no machine code: this CPU lacks avx2, fma, f16c, or its system does not let programs use it");
  expect(await chooseTarget("", refused)).toMatchObject({ name: "wasm", reason: "no machine code: the package koffi is not there" });
});

test("CRIA_TARGET overrides, and an impossible wish says why", async () => {
  for (const name of targetNames) expect(await chooseTarget(name, machine(0xe6))).toMatchObject({ name, reason: "CRIA_TARGET says so" });
  expect((await chooseTarget("wasm", refused)).machine).toBe(undefined);
  const wish = (name: string, open: () => Promise<Opened>) => expect(chooseTarget(name, open)).rejects;
  await wish("avx512", machine(0x06)).toThrow('[cpu] CRIA_TARGET is "avx512", but this CPU lacks avx512f, avx512bw, avx512dq, avx512vl');
  await wish("avx2", refused).toThrow('[cpu] CRIA_TARGET is "avx2", but the package koffi is not there: unset it, or set it to wasm');
  await wish("avx3", refused).toThrow('[cpu] CRIA_TARGET is "avx3", did you mean "avx2"?');
  await wish("sparc", refused).toThrow(UsageError);
});

test("this machine gets what it can run", async () => {
  const { native } = await openNative();
  const choice = await chooseTarget("");
  expect(choice.machine === undefined).toBe(choice.name === "wasm");
  if (native === undefined) expect(choice.isFallback).toBe(true);
});
