// The parameters of a protocol as rows, one per key: what becomes of each is said once, and the schema of requests follows. A table is typed by the
// parameters of the protocol's own SDK, so that a key which is not listed does not compile. null is absence everywhere.
import { z } from "zod";
import { didYouMean } from "../base/index.ts";

/** A parameter that is obeyed. */
export interface ObeyedKey<Schema extends z.ZodType = z.ZodType> {
  readonly rule: "obeyed";
  readonly schema: Schema;
  readonly isRequired: boolean;
}

/** A parameter that is accepted because it cannot change a text. */
export interface HarmlessKey {
  readonly rule: "harmless";
  readonly schema: z.ZodType;
}

/** A parameter that is refused by its name, unless its value is one that asks for nothing. */
export interface RefusedKey {
  readonly rule: "refused";
  /** Why, and the way out; follows the parameter's name. */
  readonly why: string;
  /** Values that ask for nothing beside null. */
  readonly neutral: readonly unknown[];
}

/** What becomes of a parameter. */
export type KeyRow = ObeyedKey | HarmlessKey | RefusedKey;

/** A row for each key of a protocol's parameters. */
export type KeyTable<Keys extends string = string> = Readonly<Record<Keys, KeyRow>>;

/** A parameter that is obeyed where it is given. */
export function obeyed<Schema extends z.ZodType>(schema: Schema): ObeyedKey<Schema> & { readonly isRequired: false } {
  return { rule: "obeyed", schema, isRequired: false };
}

/** A parameter that must be given. */
export function required<Schema extends z.ZodType>(schema: Schema): ObeyedKey<Schema> & { readonly isRequired: true } {
  return { rule: "obeyed", schema, isRequired: true };
}

/** A parameter that cannot change a text. */
export function harmless(schema: z.ZodType = z.unknown()): HarmlessKey {
  return { rule: "harmless", schema };
}

/** @param why follows "is not supported: " @param neutral values that ask for nothing, beside null */
export function refused(why: string, ...neutral: readonly unknown[]): RefusedKey {
  return { rule: "refused", why, neutral };
}

type Parsed<Table> = {
  readonly [K in keyof Table as Table[K] extends { readonly rule: "obeyed"; readonly isRequired: true }
    ? K
    : never]: Table[K] extends ObeyedKey<infer S> ? z.output<S> : never;
} & {
  readonly [K in keyof Table as Table[K] extends { readonly rule: "obeyed"; readonly isRequired: false }
    ? K
    : never]?: Table[K] extends ObeyedKey<infer S> ? z.output<S> | undefined : never;
};

/** The schema of a request's body: obeyed keys alone come out of it, and those that are null are absent. */
export type BodySchema<Table> = z.ZodType<Parsed<Table>>;

/** The schema that follows from a table. */
export function bodySchema<const Table extends KeyTable>(table: Table): BodySchema<Table> {
  const shape = Object.fromEntries(Object.entries(table).map(([name, row]) => [name, schemaOf(row)]));
  const known = Object.keys(table);
  const schema = z
    .looseObject(shape)
    .superRefine((body, context) => {
      for (const key of Object.keys(body))
        if (!known.includes(key))
          context.addIssue({
            code: "custom",
            path: [key],
            message: `is not known${didYouMean(key, known) || ": leave it out"}`,
            input: body[key],
          });
    })
    .transform((body) =>
      Object.fromEntries(Object.entries(body).filter(([key, value]) => isObeyed(table, key) && value !== undefined && value !== null)),
    );
  // The shape is made of the table's rows, whose types Parsed gives back.
  return schema as unknown as BodySchema<Table>;
}

function isObeyed(table: KeyTable, key: string): boolean {
  return table[key]?.rule === "obeyed";
}

function schemaOf(row: KeyRow): z.ZodType {
  if (row.rule === "refused") {
    const { why, neutral } = row;
    const isNeutral = (value: unknown) =>
      value === undefined || value === null || neutral.some((one) => JSON.stringify(one) === JSON.stringify(value));
    return z
      .unknown()
      .refine(isNeutral, { message: `is not supported: ${why}` })
      .optional()
      .meta({ description: `Not supported: ${why}`, deprecated: true });
  }
  return row.rule === "obeyed" && row.isRequired ? row.schema : row.schema.nullish();
}
