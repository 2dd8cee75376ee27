// What a step's schema says of its parameters, for those who list them.
import { z } from "zod";

/** A parameter of a step or a preset, as its schema has it. */
export interface ToldParameter {
  readonly name: string;
  readonly required: boolean;
  /** Is null where the parameter has no default. */
  readonly default: unknown;
  readonly help: string;
}

/** The parameters of a schema in its order; none where it is no object. */
export function parametersOf(schema: z.ZodType): readonly ToldParameter[] {
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.entries(schema.shape).map(([name, value]) => {
    const absent = (value as z.ZodType).safeParse(undefined);
    return { name, required: !absent.success, default: absent.data ?? null, help: (value as z.ZodType).description ?? "" };
  });
}
