// What is other than it was when a checkpoint was made: a run goes on from it only where that is meant.

import { type CompleteRecipe, type RecipeChange, recipeChanges } from "../train/index.ts";
import type { Origin } from "./checkpoint.ts";
import { isChangeRow, type MetricsRow } from "./metrics-log.ts";

/** The recipe: what is computed. The data: the shards' bytes. The target: how this machine rounds. */
export const changeKinds = ["recipe", "data", "target"] as const;
/** What kind of thing is other than it was. */
export type ChangeKind = (typeof changeKinds)[number];

/** A recipe's key, "data.SOURCE", or "target". */
export function kindOfChange({ key }: RecipeChange): ChangeKind {
  if (key === "target") return key;
  return key.startsWith("data.") ? "data" : "recipe";
}

interface Known {
  readonly recipe: CompleteRecipe;
  readonly origin?: Origin | undefined;
}

/** All that gives other numbers than before; the origin only where both say theirs. */
export function changesSince(before: Known, now: Known): RecipeChange[] {
  const origins = before.origin && now.origin ? originChanges(before.origin, now.origin) : [];
  return [...recipeChanges(before.recipe, now.recipe), ...origins];
}

function originChanges(before: Origin, now: Origin): RecipeChange[] {
  const names = [...new Set([...Object.keys(before.data), ...Object.keys(now.data)])];
  const rows = names.map((name) => ({ key: `data.${name}`, before: before.data[name], now: now.data[name] }));
  return [...rows, { key: "target", before: before.target, now: now.target }].filter((row) => row.before !== row.now);
}

/**
 * What the log of a run does not say yet: a run that was killed before its next checkpoint meets the changes that were accepted then again, and those
 * that it does not go on with after all are taken back.
 * @param rows the run's metrics
 * @param step the checkpoint's
 */
export function notYetLogged(changes: readonly RecipeChange[], rows: readonly MetricsRow[], step: number): RecipeChange[] {
  const logged = loggedSince(rows, step);
  const isLogged = ({ key, now }: RecipeChange) => logged.has(key) && same(logged.get(key)!.now, now);
  const isMet = (key: string) => changes.some((change) => change.key === key);
  const back = [...logged.values()].filter(({ key, before, now }) => !isMet(key) && !same(before, now));
  return [...changes.filter((change) => !isLogged(change)), ...back.map(({ key, before, now }) => ({ key, before: now, now: before }))];
}

/** The changes that nobody has accepted yet. */
export function notYetAccepted(changes: readonly RecipeChange[], rows: readonly MetricsRow[], step: number): RecipeChange[] {
  const logged = loggedSince(rows, step);
  return changes.filter(({ key, now }) => !logged.has(key) || !same(logged.get(key)!.now, now));
}

/** What each changed key was in the checkpoint, and what it became last. */
function loggedSince(rows: readonly MetricsRow[], step: number): ReadonlyMap<string, RecipeChange> {
  const logged = new Map<string, RecipeChange>();
  for (const row of rows)
    if (isChangeRow(row) && row.step >= step)
      for (const change of row.changed) logged.set(change.key, { ...change, before: (logged.get(change.key) ?? change).before });
  return logged;
}

/** Whether two values are equal in JSON, where null and what is absent are the same. */
function same(a: unknown, b: unknown): boolean {
  return (a ?? null) === (b ?? null);
}
