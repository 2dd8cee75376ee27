// Parquet files, by hyparquet: row group by row group, of each only the columns that hold the text and what is told of it.
import type { AsyncBuffer, FileMetaData, SchemaElement } from "hyparquet";
import { CriaError, check, didYouMean, fail } from "../../base/index.ts";
import { type FileSource, openFile } from "../../files/index.ts";
import type { FormInput, TextDocument } from "./forms.ts";
import { readRecord, toldKeys } from "./json-field.ts";

/** A row group's columns are in memory while it is read: writers make groups of some 100 MB, and one of another kind is refused. */
const mostGroupBytes = 2 ** 30;

/** One document per row, with the columns of usual names beside the text. Memory: the columns of a row group. @throws CriaError for nested columns, by name, and damaged files */
export async function* readParquet(input: FormInput): AsyncGenerator<TextDocument> {
  const { name, where, options } = input;
  const { parquetMetadataAsync, parquetReadObjects } = await import("hyparquet");
  const { compressors } = await import("hyparquet-compressors");
  await using file = await input.file();
  await using source = await openFile(file.path, where);
  const buffer = bufferOf(source);
  const metadata = await explained(() => parquetMetadataAsync(buffer), name, where);
  const columns = columnsOf(metadata, options.field ?? "text", name, where);
  let rowStart = 0;
  for (const [group, { num_rows, columns: chunks }] of metadata.row_groups.entries()) {
    const rows = Number(num_rows);
    const bytes = chunks.reduce(
      (sum, { meta_data: chunk }) => sum + (columns.includes(chunk?.path_in_schema[0] ?? "") ? Number(chunk?.total_uncompressed_size) : 0),
      0,
    );
    check(
      bytes <= mostGroupBytes,
      where,
      () =>
        `${name}: its row group ${group} has ${bytes} bytes in the columns ${columns.join(", ")}, of which ${mostGroupBytes} are read at once: write it with smaller row groups`,
    );
    const range = { rowStart, rowEnd: rowStart + rows };
    const read = await explained(() => parquetReadObjects({ file: buffer, metadata, compressors, columns, ...range }), name, where);
    for (const [i, row] of read.entries()) yield* documentOf(row, rowStart + i, input);
    rowStart += rows;
  }
}

function* documentOf(
  row: Readonly<Record<string, unknown>>,
  number: number,
  { name, where, options, note }: FormInput,
): Generator<TextDocument> {
  const place = `${name}: row ${number}`;
  const { field = "text" } = options;
  if (row[field] === null || row[field] === undefined) return note({ kind: "left out", what: `row whose ${field} is null`, place });
  const values = Object.entries(row).map(([key, value]) => [key, plain(value)]);
  yield readRecord(place, Object.fromEntries(values), where, options);
}

/** Dates and large numbers as facts have them. */
function plain(value: unknown): unknown {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? undefined : value.toISOString();
  return typeof value === "bigint" ? Number(value) : value;
}

function bufferOf(source: FileSource): AsyncBuffer {
  return {
    byteLength: source.size,
    async slice(start, end = source.size) {
      const from = start < 0 ? Math.max(0, source.size + start) : start;
      const bytes = await source.read(from, Math.min(end, source.size) - from);
      return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
    },
  };
}

async function explained<T>(act: () => Promise<T>, name: string, where: string): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    if (cause instanceof CriaError) throw cause;
    return fail(
      where,
      `${name}: it is damaged, or no Parquet that is read here (${cause instanceof Error ? cause.message : String(cause)}): fetch it again`,
      { cause },
    );
  }
}

/** The columns that are read: the text's, and those that tell something of it. */
function columnsOf({ schema }: FileMetaData, field: string, name: string, where: string): string[] {
  const columns = topColumns(schema);
  const found = columns.find((column) => column.name === field);
  if (found === undefined) {
    const names = columns.map((column) => column.name);
    return fail(
      where,
      `${name}: there is no column "${field}"${didYouMean(field, names) || ": name one as the field"}; its columns are ${names.join(", ")}`,
    );
  }
  check(
    found.isPlain,
    where,
    () =>
      `${name}: the column "${field}" is nested, and a text is a string: name another field, or write the strings to a column of their own`,
  );
  return [
    field,
    ...columns.filter(({ name: other, isPlain }) => isPlain && other !== field && toldKeys.includes(other)).map((column) => column.name),
  ];
}

/** The columns below the root; one with children, or with several values per row, is nested. */
function topColumns(schema: readonly SchemaElement[]): { readonly name: string; readonly isPlain: boolean }[] {
  const columns: { name: string; isPlain: boolean }[] = [];
  for (let at = 1; at < schema.length; ) {
    const { name, num_children: children = 0, repetition_type: repetition } = schema[at]!;
    columns.push({ name, isPlain: children === 0 && repetition !== "REPEATED" });
    at = behind(schema, at);
  }
  return columns;
}

/** Where the next element of the same depth stands. */
function behind(schema: readonly SchemaElement[], at: number): number {
  let open = 1;
  let end = at;
  for (; open > 0 && end < schema.length; end++) open += (schema[end]?.num_children ?? 0) - 1;
  return end;
}
