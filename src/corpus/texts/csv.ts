// Tables with column names in their first row, RFC 4180 as csv-parse reads it, whatever the line ends; one column holds the documents.
import { CsvError, type Info, type Options, parse } from "csv-parse";
import { CriaError, check, didYouMean, fail } from "../../base/index.ts";
import { decodeText } from "./decode-text.ts";
import type { FormInput } from "./forms.ts";
import { maxDocumentLength } from "./limits.ts";
import { toLineFeeds } from "./line-ends.ts";
import { through } from "./through.ts";

interface Row {
  readonly record: readonly string[];
  readonly info: Info;
}

/** @throws CriaError for a column that is not there, naming those that are; and for a row of more or fewer cells than there are columns, by line */
export async function* readCsv(input: FormInput, delimiter: string): AsyncGenerator<string> {
  const { name, where, options } = input;
  const { field = "text", newlines } = options;
  let columns: readonly string[] | undefined;
  let column = 0;
  for await (const { record, info } of rows(input, delimiter)) {
    if (columns === undefined) {
      columns = record;
      column = findColumn(columns, field, name, where);
      continue;
    }
    check(
      record.length === columns.length,
      where,
      () =>
        `${name}: the row that ends at line ${info.lines} has ${record.length} cells but there are ${columns!.length} columns: correct or remove it`,
    );
    yield newlines === "keep" ? record[column]! : toLineFeeds(record[column]!);
  }
}

async function* rows(input: FormInput, delimiter: string): AsyncGenerator<Row> {
  const options: Options = {
    delimiter,
    info: true,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    record_delimiter: ["\r\n", "\n", "\r"],
    max_record_size: maxDocumentLength,
  };
  try {
    yield* through(decodeText(input, input.where), parse(options)) as AsyncGenerator<Row>;
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new CriaError(input.where, `${input.name}: ${explain(error)}: correct it there`, { cause: error });
  }
}

function explain(error: CsvError): string {
  const lines = (error as { lines?: number }).lines;
  if (error.code === "CSV_QUOTE_NOT_CLOSED") return `a quoted cell is still open at the end, line ${lines}`;
  return `line ${lines} is not a row of a table (${error.message.replace(/\s+/g, " ")})`;
}

function findColumn(columns: readonly string[], field: string, name: string, where: string): number {
  const found = columns.indexOf(field);
  const other = columns.length === 1 ? /[;\t|,]/.exec(columns[0]!)?.[0] : undefined;
  const separated = other === undefined ? "" : `; ${JSON.stringify(other)} seems to stand between the cells: ${otherDelimiter(other)}`;
  const listed = columns.map((column) => JSON.stringify(column)).join(", ");
  if (found < 0) {
    const near = didYouMean(field, columns);
    return fail(
      where,
      `${name}: there is no column "${field}"${near}${near === "" ? ":" : ""} its columns are ${listed}${separated || "; name one as the field"}`,
    );
  }
  check(found === columns.lastIndexOf(field), where, () => `${name}: two columns are called "${field}" (${listed}): rename one`);
  return found;
}

function otherDelimiter(delimiter: string): string {
  if (delimiter === "\t" || delimiter === ",") return `read it with the format ${delimiter === "," ? "csv" : "tsv"}`;
  return "save it with commas or tabs";
}
