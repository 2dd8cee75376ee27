// What modified Kneser-Ney smoothing takes from the counts of n-grams (Chen & Goodman 1998, equation 26): one number each for those that count 1, 2, and 3
// or more, from how many count 1, 2, 3 and 4.

/** What is taken from the counts 1, 2, and 3 or more. */
export type Discounts = readonly [one: number, two: number, more: number];

/** The discounts of an order, and whether they are those for orders that have too few n-grams of some count. */
export interface EstimatedDiscounts {
  readonly discounts: Discounts;
  readonly isFallback: boolean;
}

/** Estimates the discounts of an order. @param having how many n-grams count 0, 1, 2, 3 and 4 @param fallback where none counts 1, 2 or 3, or an estimate is no share of its count */
export function estimateDiscounts([, one = 0, two = 0, three = 0, four = 0]: readonly number[], fallback: Discounts): EstimatedDiscounts {
  const y = one / (one + 2 * two);
  const discounts: Discounts = [1 - (2 * y * two) / one, 2 - (3 * y * three) / two, 3 - (4 * y * four) / three];
  const isFallback = one * two * three === 0 || discounts.some((discount, i) => !(discount >= 0 && discount <= i + 1));
  return { discounts: isFallback ? fallback : discounts, isFallback };
}

/** What is taken from a count. */
export function discountOf([one, two, more]: Discounts, count: number): number {
  if (count < 2) return count < 1 ? 0 : one;
  return count < 3 ? two : more;
}
