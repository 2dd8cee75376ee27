// Which documents a report shows: a fair sample, by the place that a document's text has among all, and those nearest to a limit. What is picked does not
// depend on the order in which documents come, so that tasks pick each for itself and what they picked is picked from again.

/** Documents of a sample. */
export const mostExamples = 5;
/** Documents nearest to a limit. */
export const mostNearest = 3;

/** What a document is picked by. */
export interface Picked {
  /** Where its text stands in the order in which samples are drawn, 0 to 1: see `samplePlace`. */
  readonly place: number;
  readonly measured?: number | string | undefined;
  readonly limit?: number | string | undefined;
}

/** An order in which the first few are picked. */
export type PickOrder = (a: Picked, b: Picked) => number;

/** A fair sample. */
export const byPlace: PickOrder = (a, b) => a.place - b.place;

/** What was measured nearest to the limit comes first, relative to the limit. */
export const byNearness: PickOrder = (a, b) => distanceOf(a) - distanceOf(b) || byPlace(a, b);

/** The least measure comes first. */
export const byLeast: PickOrder = (a, b) => Number(a.measured) - Number(b.measured) || byPlace(a, b);

/** The greatest measure comes first. */
export const byGreatest: PickOrder = (a, b) => Number(b.measured) - Number(a.measured) || byPlace(a, b);

/** Whether a limit and a measure of numbers stand beside each other, so that one can be near the other. */
export function hasDistance({ measured, limit }: Picked): boolean {
  return typeof measured === "number" && typeof limit === "number";
}

function distanceOf({ measured, limit }: Picked): number {
  return Math.abs(Number(measured) - Number(limit)) / Math.max(1e-9, Math.abs(Number(limit)));
}

/** How the first few of an order are picked. @template Kept what is kept of a document */
export interface Picking<Kept extends Picked> {
  readonly order: PickOrder;
  readonly most: number;
  /** Makes what is kept of the candidate, which costs something, and is asked only where the candidate is picked. */
  readonly make: (candidate: Picked) => Kept;
}

/** Puts a candidate into a list of the first few, in their order. Of texts at the same place, which are copies, one is kept. */
export function pick<Kept extends Picked>(list: Kept[], candidate: Picked, { order, most, make }: Picking<Kept>): void {
  const last = list[most - 1];
  if (last !== undefined && order(candidate, last) >= 0) return;
  if (list.some(({ place }) => place === candidate.place)) return;
  const before = list.findIndex((kept) => order(candidate, kept) < 0);
  list.splice(before < 0 ? list.length : before, 0, make(candidate));
  if (list.length > most) list.pop();
}

/** The first few of several lists. */
export function pickAgain<Kept extends Picked>(lists: readonly (readonly Kept[])[], order: PickOrder, most: number): Kept[] {
  const picked: Kept[] = [];
  for (const kept of lists.flat()) pick(picked, kept, { order, most, make: () => kept });
  return picked;
}
