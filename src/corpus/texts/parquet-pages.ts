// Pages of Parquet columns looked through before hyparquet decodes them, because it believes the lengths of runs, which may be of any size in a damaged file
// (Parquet format 2.11, Data Pages, and Encodings, RLE/bit-packing hybrid).
import type { ColumnMetaData, Compressors, PageHeader } from "hyparquet";
import { parquetHeader } from "hyparquet/src/column.js";

/** Bytes of an unpacked page; writers make pages of a megabyte. */
const mostPageBytes = 2 ** 28;
const levelWidth = 1;

/** A column's pages in a row group. */
export interface ColumnPages {
  readonly bytes: Uint8Array;
  readonly meta: ColumnMetaData;
  readonly rows: number;
  /** Whether values may be null: their pages begin with a level per value. */
  readonly isOptional: boolean;
  readonly compressors: Compressors;
}

/** @throws RangeError for a page that says more than it has */
export function checkPages(column: ColumnPages): void {
  const { bytes, rows } = column;
  const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length), offset: 0 };
  for (let seen = 0; seen < rows && reader.offset < bytes.length - 1; ) {
    const header = parquetHeader(reader);
    const { compressed_page_size: packed, uncompressed_page_size: unpacked } = header;
    ensure(
      packed >= 0 && packed <= bytes.length - reader.offset,
      `a page of ${packed} bytes where ${bytes.length - reader.offset} are left`,
    );
    ensure(unpacked >= 0 && unpacked <= mostPageBytes, `a page that unfolds to ${unpacked} bytes`);
    checkPage(column, header, bytes.subarray(reader.offset, reader.offset + packed));
    reader.offset += packed;
    seen += header.data_page_header?.num_values ?? header.data_page_header_v2?.num_values ?? 0;
    ensure(seen <= rows, `pages of ${seen} values where there are ${rows} rows`);
  }
}

function checkPage(column: ColumnPages, header: PageHeader, packed: Uint8Array): void {
  const { data_page_header: first, data_page_header_v2: second, dictionary_page_header: dictionary, uncompressed_page_size: size } = header;
  if (dictionary !== undefined)
    return ensure(dictionary.num_values >= 0 && dictionary.num_values <= size, `a dictionary of ${dictionary.num_values} values`);
  if (first !== undefined) {
    checkCount(first.num_values, column.rows);
    const page = unpack(column, packed, size);
    const view = viewOf(page);
    let at = 0;
    if (column.isOptional) {
      const length = view.getUint32(0, true);
      checkRuns(view, { start: 4, end: Math.min(page.length, 4 + length), width: levelWidth, values: first.num_values });
      at = 4 + length;
    }
    if (isDictionary(first.encoding)) checkIndices(view, at, first.num_values);
  } else if (second !== undefined) {
    checkCount(second.num_values, column.rows);
    const { repetition_levels_byte_length: before, definition_levels_byte_length: levels } = second;
    ensure(
      before === 0 && levels >= 0 && levels <= packed.length && second.num_nulls >= 0 && second.num_nulls <= second.num_values,
      "levels that are longer than their page",
    );
    if (column.isOptional) checkRuns(viewOf(packed), { start: 0, end: levels, width: levelWidth, values: second.num_values });
    const rest = packed.subarray(levels);
    const values = second.is_compressed === false || size === levels ? rest : unpack(column, rest, size - levels);
    if (isDictionary(second.encoding)) checkIndices(viewOf(values), 0, second.num_values);
  }
}

function isDictionary(encoding: string | undefined): boolean {
  return encoding === "PLAIN_DICTIONARY" || encoding === "RLE_DICTIONARY";
}

function unpack({ meta, compressors }: ColumnPages, packed: Uint8Array, size: number): Uint8Array {
  ensure(size >= 0, "levels that are longer than their page");
  const decompress = compressors[meta.codec];
  return meta.codec === "UNCOMPRESSED" || decompress === undefined ? packed : decompress(packed, size);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Indices into the dictionary: a byte with their width in bits, then runs. */
function checkIndices(view: DataView, at: number, values: number): void {
  if (at >= view.byteLength) return; // a page of nulls alone
  checkRuns(view, { start: at + 1, end: view.byteLength, width: view.getUint8(at), values });
}

interface Runs {
  readonly start: number;
  readonly end: number;
  readonly width: number;
  /** Values there are at most; what is packed by bits may have up to seven more. */
  readonly values: number;
}

/** A run is a number whose lowest bit says whether values are packed, eight at a time, or one value is repeated. */
function checkRuns(view: DataView, { start, end, width, values }: Runs): void {
  ensure(width <= 32, `values of ${width} bits`);
  let [at, seen] = [start, 0];
  while (seen < values && at < end) {
    let [head, shift] = [0, 0];
    for (let byte = 0x80; byte & 0x80; shift += 7) {
      byte = view.getUint8(at++);
      head += (byte & 0x7f) * 2 ** shift;
      ensure(shift <= 28, "a run of more values than any page has");
    }
    const isPacked = head % 2 === 1;
    const count = isPacked ? 8 * Math.floor(head / 2) : head / 2;
    ensure(count > 0 && seen + count <= values + 7, `a run of ${count} values where ${values - seen} are left`);
    at += isPacked ? (count / 8) * width : (width + 7) >> 3;
    seen += count;
  }
}

function checkCount(count: number, rows: number): void {
  ensure(count >= 0 && count <= rows, `a page of ${count} values where there are ${rows} rows`);
}

function ensure(isRight: boolean, what: string): void {
  if (!isRight) throw new RangeError(`it has ${what}`);
}
