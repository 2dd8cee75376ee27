// Parquet files, by hyparquet: row group by row group, of each only the columns that hold the text and what is told of it.
import type { AsyncBuffer, FileMetaData, RowGroup, SchemaElement } from "hyparquet";
import { CriaError, check, didYouMean, fail } from "../../base/index.ts";
import { type FileSource, openFile } from "../../files/index.ts";
import type { FormInput, TextDocument } from "./forms.ts";
import { readRecord, toldKeys } from "./json-field.ts";

/** A row group's columns are in memory while it is read: writers make groups of some 100 MB and a million rows, and others are refused. */
const [mostGroupBytes, mostGroupRows] = [2 ** 30, 2 ** 24];

/** One document per row, with the columns of usual names beside the text. Memory: the columns of a row group. @throws CriaError for nested columns, by name, and damaged files */
export async function* readParquet(input: FormInput): AsyncGenerator<TextDocument> {
  const { name, where, options } = input;
  const { parquetMetadataAsync } = await import("hyparquet");
  await using file = await input.file();
  await using source = await openFile(file.path, where);
  const buffer = bufferOf(source);
  // Maps are not looked for: the search for them never ends where a damaged schema says that an element has -2 children.
  const metadata = await explained(() => parquetMetadataAsync(buffer, { geoparquet: false }), name, where);
  const table = { source, buffer, metadata, columns: columnsOf(metadata, options.field ?? "text", name, where) };
  let before = 0;
  for (const [number, group] of metadata.row_groups.entries()) {
    if (!isAsked(group, input)) {
      before += Number(group.num_rows);
      continue;
    }
    const rows = await explained(() => readGroup(table, group, before), `${name}: row group ${number}`, where);
    for (const [i, row] of rows.entries()) yield* documentOf(row, before + i, input);
    before += rows.length;
    input.onBytes?.(group.columns.reduce((sum, { meta_data: one }) => sum + Number(one?.total_compressed_size ?? 0), 0));
  }
}

/** Whether a group begins in the stretch of the file that is read; one that says nothing of its columns belongs to the first. */
function isAsked({ columns }: RowGroup, { groups }: FormInput): boolean {
  const places = columns.flatMap(({ meta_data: one }) => [one?.dictionary_page_offset || undefined, one?.data_page_offset]);
  const start = places.reduce(
    (least: number, place) => (place === undefined ? least : Math.min(least, Number(place))),
    Number.POSITIVE_INFINITY,
  );
  return groups === undefined || (start === Number.POSITIVE_INFINITY ? groups.start === 0 : groups.start <= start && start < groups.end);
}

interface Table {
  readonly source: FileSource;
  readonly buffer: AsyncBuffer;
  readonly metadata: FileMetaData;
  readonly columns: readonly Column[];
}

/** The rows of a group. @param before rows of the groups before it @throws RangeError where it is damaged or too large */
async function readGroup(
  { source, buffer, metadata, columns }: Table,
  group: RowGroup,
  before: number,
): Promise<Record<string, unknown>[]> {
  const [{ parquetReadObjects }, { compressors }, { checkPages }] = await Promise.all([
    import("hyparquet"),
    import("hyparquet-compressors"),
    import("./parquet-pages.ts"),
  ]);
  const rows = Number(group.num_rows);
  if (!(rows >= 0 && rows <= mostGroupRows)) throw new RangeError(`it has ${rows} rows, of which ${mostGroupRows} are read at once`);
  for (const { name, isOptional } of columns) {
    const meta = group.columns.find(({ meta_data: one }) => one?.path_in_schema[0] === name)?.meta_data;
    if (meta === undefined) throw new RangeError(`it lacks the column ${name}`);
    const [start, length, unpacked] = [
      Number(meta.dictionary_page_offset || meta.data_page_offset), // some writers say 0 where there is no dictionary
      Number(meta.total_compressed_size),
      Number(meta.total_uncompressed_size),
    ];
    if (!(length >= 0 && Math.max(length, unpacked) <= mostGroupBytes))
      throw new RangeError(
        `its column ${name} has ${Math.max(length, unpacked)} bytes, of which ${mostGroupBytes} are read at once: write smaller row groups`,
      );
    const first = Math.min(start, Number(meta.data_page_offset));
    checkPages({ bytes: await source.read(first, length), meta, rows, isOptional, compressors });
  }
  const range = { rowStart: before, rowEnd: before + rows };
  const found = await parquetReadObjects({ file: buffer, metadata, compressors, columns: columns.map(({ name }) => name), ...range });
  if (found.length !== rows) throw new RangeError(`it has ${found.length} rows but says ${rows}`);
  return found;
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
      `${name}: it is damaged, or no Parquet that is read (${cause instanceof Error ? cause.message : String(cause)}): fetch it again`,
      { cause },
    );
  }
}

/** A column of strings, numbers or dates, one per row. */
interface Column {
  readonly name: string;
  readonly isOptional: boolean;
}

/** The columns that are read: the text's, and those that tell something of it. */
function columnsOf({ schema }: FileMetaData, field: string, name: string, where: string): Column[] {
  const columns = topColumns(schema);
  const found = columns.find((column) => column.name === field);
  if (found === undefined) {
    const names = columns.map((column) => column.name);
    const known = didYouMean(field, names) || ": name one as the field";
    return fail(where, `${name}: there is no column "${field}"${known}; its columns are ${names.join(", ")}`);
  }
  check(
    found.isPlain,
    where,
    () =>
      `${name}: the column "${field}" is nested, and a text is a string: name another field, or write the strings to a column of their own`,
  );
  const others = columns.filter(({ name: other, isPlain, isTold }) => isPlain && isTold && other !== field && toldKeys.includes(other));
  return [found, ...others];
}

/** The columns below the root; one with children, or with several values per row, is nested, and of a kind that nothing is told by where it is one of truths. */
function topColumns(schema: readonly SchemaElement[]): (Column & { readonly isPlain: boolean; readonly isTold: boolean })[] {
  const columns: ReturnType<typeof topColumns> = [];
  for (let at = 1; at < schema.length; at = behind(schema, at)) {
    const { name = "", num_children: children = 0, repetition_type: repetition, type } = schema[at] ?? {};
    const isPlain = children === 0 && repetition !== "REPEATED";
    columns.push({ name, isOptional: repetition === "OPTIONAL", isPlain, isTold: type !== "BOOLEAN" });
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
