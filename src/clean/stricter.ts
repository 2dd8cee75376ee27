// The same step with limits a tenth stricter: what it drops of the documents that the step itself keeps stands near a limit, which people want to see who judge
// a rule. Which parameters are limits, and of which reasons, is said by the step's row.
import { CriaError } from "../base/index.ts";
import type { ChainStep } from "./chain.ts";
import type { CleanDocument } from "./document.ts";
import { type Dropped, isDropped, type Step, type StepFiles } from "./step.ts";

/** Limits are stricter by this share of them. */
const tighter = 0.1;

/** Why a document that stays would go if limits were a tenth stricter, with the step's own limit; undefined where it would not. */
export type NearLimit = (document: CleanDocument) => Dropped | undefined;

/** What stands near a limit of a step; undefined where it has no limits, or reads files: what it finds there is a fact, whose values are counted. */
export async function openNearLimit({ row, parameters }: ChainStep, files: StepFiles): Promise<NearLimit | undefined> {
  if (row.files !== undefined || typeof parameters !== "object" || parameters === null) return undefined;
  const known: Readonly<Record<string, unknown>> = { ...parameters };
  const strict = { ...known };
  for (const name of new Set(Object.values(row.limits ?? {}))) strict[name] = stricterOf(name, known[name]);
  if (Object.keys(strict).every((name) => strict[name] === known[name])) return undefined;
  const step = await openedOrNot(() => row.open(strict, files));
  if (step === undefined) return undefined;
  return (document) => {
    const outcome = step.apply(document);
    if (!isDropped(outcome)) return undefined;
    const name = row.limits?.[outcome.reason];
    const limit = name === undefined || strict[name] === known[name] ? undefined : known[name];
    return typeof limit === "number" ? { ...outcome, limit } : undefined;
  };
}

/** Limits that are close together may contradict each other when they are stricter: then nothing stands near them. */
async function openedOrNot(open: () => Step | Promise<Step>): Promise<Step | undefined> {
  try {
    return await open();
  } catch (error) {
    if (error instanceof CriaError) return undefined;
    throw error;
  }
}

function stricterOf(name: string, value: unknown): unknown {
  if (typeof value !== "number") return value;
  const isWhole = Number.isInteger(value);
  if (/^min[A-Z]/.test(name)) return isWhole ? Math.ceil(value * (1 + tighter)) : value * (1 + tighter);
  if (/^max[A-Z]/.test(name)) return isWhole ? Math.floor(value * (1 - tighter)) : value * (1 - tighter);
  return value;
}
