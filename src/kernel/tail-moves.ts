// A few bytes at the end of a row move, where no mask can be had, in powers of two, each at a multiple of its size.

/** A move of some bytes, so many behind the first. */
export interface TailMove {
  readonly offset: number;
  readonly bytes: 1 | 2 | 4 | 8;
}

/** The moves that bring so many bytes over, the largest first. @param bytes 1 to 15. */
export function tailMoves(bytes: number): TailMove[] {
  let offset = 0;
  return ([8, 4, 2, 1] as const).flatMap((size) => {
    if ((bytes & size) === 0) return [];
    offset += size;
    return [{ offset: offset - size, bytes: size }];
  });
}
