// Prompts and inputs in the four forms of OpenAI's protocol: a text, ids, texts, or lists of ids.
import { z } from "zod";
import type { PlainPrompt } from "../generation.ts";

const ids = z.array(z.int().min(0)).min(1);

/** The schema of prompts. */
export const textsSchema = z.union([z.string(), ids, z.array(z.string()).min(1), z.array(ids).min(1)]);

/** The prompts that a value is. */
export function plainPrompts(value: z.output<typeof textsSchema>): readonly PlainPrompt[] {
  if (typeof value === "string") return [{ text: value }];
  if (value.every((one) => typeof one === "number")) return [{ ids: value }];
  return value.map((one) => (typeof one === "string" ? { text: one } : { ids: one as readonly number[] }));
}
