// How a few bytes at the end of a row move where no mask can be had: in powers of two, each at a multiple of its size.

export interface Piece {
  readonly offset: number;
  readonly bytes: 1 | 2 | 4 | 8;
}

/** @param bytes 1 to 15. */
export function piecesOf(bytes: number): Piece[] {
  let offset = 0;
  return ([8, 4, 2, 1] as const).flatMap((size) => {
    if ((bytes & size) === 0) return [];
    offset += size;
    return [{ offset: offset - size, bytes: size }];
  });
}
