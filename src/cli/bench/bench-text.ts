// The report of `cria bench` for people: llama-bench's table, with a column for what the machine allows.
import { passParts } from "../../backend/cpu/index.ts";
import type { Share } from "./ceilings.ts";
import type { BenchReport, TestResult } from "./measure.ts";

/** The table, what the machine can do, and where the time goes where that was asked for. */
export function benchText(report: BenchReport): string {
  const { machine, backend, cacheType, tests } = report;
  const peaks = Object.entries(machine.peak).map(([product, rate]) => `${product} ${giga(rate)}`);
  const lines = [
    ...markdown(
      ["model", "size", "params", "target", "threads", "test", "t/s", "of the machine"],
      tests.map((test) => rowOf(report, test)),
    ),
    "",
    `machine: reads ${giga(machine.read)} GB/s; multiply-adds ${peaks.join(", ")} Gop/s`,
    `backend: ${backend}; keys and values in ${cacheType}`,
    ...profileLines(tests),
  ];
  return `${lines.join("\n")}\n`;
}

function rowOf({ model, target, threads }: BenchReport, { test, tokensPerSecond, machineShare }: TestResult): string[] {
  const { mean, deviation } = tokensPerSecond;
  const size = `${(model.bytes / 2 ** 20).toFixed(2)} MiB`;
  const parameters = `${(model.parameters / 1e6).toFixed(2)} M`;
  return [
    model.type,
    size,
    parameters,
    target,
    `${threads}`,
    test,
    `${mean.toFixed(2)} ± ${deviation.toFixed(2)}`,
    shareText(machineShare),
  ];
}

function shareText({ bound, most, share }: Share): string {
  return bound === "read" ? `${percent(share)} of reading ${giga(most)} GB/s` : `${percent(share)} of ${giga(most)} Gop/s in ${bound}`;
}

/** The heads of the columns of a profile, by part. */
const partNames = { products: "products", attention: "attention", rounding: "rounding", other: "other kernels", waiting: "waiting" };

function profileLines(tests: readonly TestResult[]): string[] {
  const rows = tests.flatMap(({ test, profile }) =>
    profile === undefined ? [] : [[test, ...passParts.map((part) => percent(profile.shares[part])), percent(profile.shares.between)]],
  );
  if (rows.length === 0) return [];
  return ["", "where the time goes:", ...markdown(["test", ...passParts.map((part) => partNames[part]), "between passes"], rows)];
}

/** A table as Markdown has it, its cells padded, numbers to the right. */
function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const isText = (i: number) => i === 0 || head[i] === "of the machine";
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => (isText(i) ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(" | ")} |`;
  const rule = `| ${widths.map((width, i) => (isText(i) ? "-".repeat(width) : `${"-".repeat(width - 1)}:`)).join(" | ")} |`;
  return [line(head), rule, ...rows.map(line)];
}

function giga(rate: number): string {
  return (rate / 1e9).toFixed(1);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
}
