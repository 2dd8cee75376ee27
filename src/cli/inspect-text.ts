// What cria inspect found, in a layout for a terminal.
import { byteSize, stateDTypes } from "../base/index.ts";
import type { LlamaConfig } from "../model/index.ts";
import { count } from "./amounts.ts";
import type { Found, TemplateRow, TensorRow, TypeRow } from "./inspect.ts";
import type { FoundMemory, MemoryOfType } from "./inspect-memory.ts";

/** @param hasTensors whether every tensor is listed */
export function inspectText(found: Found, hasTensors: boolean): string {
  const { config, tokenizer, metadata, types, memory, tensors } = found;
  const groups = [
    facts(summaryOf(found)),
    titled("config", config),
    titled("tokenizer", tokenizer),
    titled("metadata", metadata),
    typesTable(types),
    memory === undefined ? "" : memoryTable(memory),
    hasTensors ? tensorsTable(tensors) : `tensors  --tensors lists all ${number(tensors.length)}\n`,
  ];
  return groups.filter((group) => group !== "").join("\n");
}

function summaryOf({ file, config, tokenizer, chatTemplates }: Found): Record<string, unknown> {
  const { path, format, architecture, tensors, parameters, modelParameters, bytes } = file;
  const stored = { files: `${byteSize(Number(bytes))} in ${number(Number(tensors))} tensors` };
  if (config === undefined) return { path, format, parameters: parametersText(Number(parameters)), ...stored };
  return {
    ...{ path, format, architecture: `${architecture}: ${sizesText(config)}`, parameters: parametersText(Number(modelParameters)) },
    context: `${number(config.contextLength)} tokens`,
    vocabulary: vocabularyText(config, tokenizer),
    chat: chatText(chatTemplates),
    ...stored,
  };
}

function parametersText(parameters: number): string {
  return `${count(parameters)} (${number(parameters)})`;
}

function sizesText({ nLayers, dim, nHeads, nKvHeads, headDim, hiddenDim, activation }: LlamaConfig): string {
  const shared = nKvHeads === nHeads ? "" : `, ${nKvHeads} of keys and values`;
  return `${nLayers} ${nLayers === 1 ? "layer" : "layers"}, ${number(dim)} channels, ${nHeads} heads of ${headDim}${shared}, feed-forward ${number(hiddenDim)} (${activation})`;
}

function vocabularyText({ vocabSize }: LlamaConfig, tokenizer: Found["tokenizer"]): string {
  const kind = tokenizer?.kind;
  return `${number(vocabSize)} tokens${kind === undefined ? ", whose tokenizer cannot be opened" : `, ${kind}`}`;
}

function chatText(templates: readonly TemplateRow[] | undefined): string {
  if (templates === undefined) return "unknown without a tokenizer";
  if (templates.length === 0) return "no template: the model continues texts";
  return templates.map(({ name, problem }) => (problem === null ? name : `${name} (cannot be read)`)).join(", ");
}

function typesTable(types: readonly TypeRow[]): string {
  const rows = types.map((row) => [
    ...[row.dtype, number(row.tensors), count(row.parameters), byteSize(row.bytes), `${(100 * row.share).toFixed(1)} %`],
    `${((8 * row.bytes) / Math.max(1, row.parameters)).toFixed(2)}`,
  ]);
  return table([["types", "tensors", "parameters", "bytes", "share", "bits each"], ...rows]);
}

const memoryRows = [
  ["mapped", "weights in their file, not counted"],
  ["weights", "weights copied"],
  ["packed", "weights packed"],
  ["cache", "keys and values"],
  ["working", "activations and scratch"],
  ["total", "together"],
] as const;

function memoryTable({ contextLength, sequences, backend, available, bound, byCache }: FoundMemory): string {
  const texts = sequences === 1 ? "one text" : `${number(sequences)} texts`;
  const cell = (memory: MemoryOfType, of: (memory: Exclude<MemoryOfType, { readonly problem: string }>) => string) =>
    "problem" in memory ? "–" : of(memory);
  const columns = stateDTypes.map((type) => byCache[type]);
  const rows = memoryRows.map(([key, label]) => [label, ...columns.map((memory) => cell(memory, (found) => byteSize(found[key])))]);
  const fits = ["fits", ...columns.map((memory) => cell(memory, ({ isEnough }) => (isEnough ? "yes" : "no")))];
  const most = ["tokens that fit", ...columns.map((memory) => cell(memory, ({ tokens }) => number(tokens)))];
  const title = `memory for ${texts} of ${number(contextLength)} tokens, by the type of keys and values (--cache), on ${backend}`;
  const problems = columns.flatMap((memory) => ("problem" in memory ? [`  –: ${memory.problem}\n`] : []));
  return `${title}\n${table([["", ...stateDTypes], ...rows, fits, most])}${problems.join("")}  ${bound}: ${byteSize(available)}\n`;
}

function tensorsTable(tensors: readonly TensorRow[]): string {
  const rows = tensors.map(({ name, shape, dtype }) => [name, shape.join(" × ") || "one number", dtype]);
  const widths = [0, 1].map((column) => Math.max(0, ...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]) => `  ${row.map((cell, i) => cell.padEnd((widths[i] ?? 0) + 2)).join("")}`.trimEnd();
  return `tensors\n${rows.map((row) => `${line(row)}\n`).join("")}`;
}

/** The first column stands left, numbers right; what is below the first row is indented. */
function table(rows: readonly (readonly string[])[]): string {
  const cells = rows.map(([first = "", ...rest], i) => [i === 0 ? first : `  ${first}`, ...rest]);
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart((widths[i] ?? 0) + 2)));
  return cells.map((row) => `${line(row).join("").trimEnd()}\n`).join("");
}

function titled(title: string, group: object | undefined): string {
  return group === undefined || Object.keys(group).length === 0 ? "" : `${title}\n${facts({ ...group }, "  ")}`;
}

function facts(group: Readonly<Record<string, unknown>>, indent = ""): string {
  const left = Math.max(...Object.keys(group).map((name) => name.length)) + 2;
  return Object.entries(group)
    .map(([name, value]) => `${indent}${name.padEnd(left)}${show(value)}\n`)
    .join("");
}

function show(value: unknown): string {
  if (value === null || value === "") return "none";
  if (Array.isArray(value)) return value.every((part) => typeof part === "boolean") ? layersOf(value) : `${value.length} values`;
  if (typeof value === "object")
    return Object.entries(value)
      .filter(([, part]) => part !== undefined)
      .map(([name, part]) => (name === "type" ? show(part) : `${name} ${show(part)}`))
      .join(", ");
  return typeof value === "number" && Number.isInteger(value) ? number(value) : String(value);
}

function number(value: number): string {
  return value.toLocaleString("en-US");
}

/** What holds in some layers of a model: their numbers, from 0. */
function layersOf(holds: readonly boolean[]): string {
  const layers = holds.flatMap((here, layer) => (here ? [layer] : []));
  return layers.length === 0 ? "no layer" : `layer${layers.length === 1 ? "" : "s"} ${layers.join(", ")}`;
}
