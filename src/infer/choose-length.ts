// Programs have fixed lengths; a prompt has any. Which program takes the next tokens of a prompt?

/** Lengths that programs are compiled for when they are first needed. Steps of four keep the padding small and the programs few. */
export const programLengths = [1, 8, 32, 128] as const;

/**
 * The length of the next run: the shortest that takes all `left` tokens, if no more than half of it is padding and its rows fit; otherwise the
 * longest that needs no padding.
 * @param lengths rising, the first is 1
 * @param room free rows of the cache, at least `left`
 */
export function chooseLength(lengths: readonly number[], left: number, room: number): number {
  const whole = lengths.find((length) => length >= left);
  if (whole !== undefined && whole <= 2 * left && whole <= room) return whole;
  return lengths.findLast((length) => length <= left)!;
}
