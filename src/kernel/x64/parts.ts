// Vectors put together from parts of four lanes on x86-64.
import type { NarrowPart, Reg } from "../ir.ts";
import type { Emit } from "./dialect.ts";
import type { Address } from "./instruction.ts";
import { widening } from "./narrow.ts";

/** Loads and broadcasts, from one address per part. */
export interface PartMoves {
  load(e: Emit, d: Reg, from: readonly Address[]): void;
  splat(e: Emit, d: Reg, from: readonly Address[], type: NarrowPart): void;
}

const broadcasts = { f16: "vpbroadcastw", u16: "vpbroadcastw", i8: "vpbroadcastb", u8: "vpbroadcastb" } as const;

/** Two parts. */
export const avx2Parts: PartMoves = {
  load(e, d, [low, high]) {
    const first = e.register("vec");
    e.emit("vmovups", [first, low!], { length: 128 });
    e.emit("vinserti128", [d, first, high!, 1]);
  },

  splat(e, d, [low, high], type) {
    const [first, second, both] = [e.register("vec"), e.register("vec"), e.register("vec")];
    e.emit(broadcasts[type], [first, low!], { length: 128 });
    e.emit(broadcasts[type], [second, high!], { length: 128 });
    if (broadcasts[type] === "vpbroadcastw") e.emit("vshufps", [both, first, second, 0x44], { length: 128 });
    else e.emit("vunpcklps", [both, first, second], { length: 128 });
    e.emit(widening[type], [d, both]);
  },
};

/** Four parts: narrow elements are merged under masks before they are widened at once. */
export const avx512Parts: PartMoves = {
  load(e, d, from) {
    const value = e.register("vec");
    e.emit("vmovups", [value, from[0]!], { length: 128 });
    for (const part of [1, 2, 3]) e.emit("vinserti32x4", [part === 3 ? d : value, value, from[part]!, part]);
  },

  splat(e, d, from, type) {
    const narrow = e.register("vec");
    const length = broadcasts[type] === "vpbroadcastw" ? 256 : 128;
    e.emit(broadcasts[type], [narrow, from[0]!], { length });
    const different = from.some(({ disp }) => disp !== from[0]!.disp);
    for (const part of different ? [1, 2, 3] : [])
      e.emit(`${broadcasts[type]}.merge`, [narrow, from[part]!], { length, mask: e.held("mask", "kmovw", [0xf << (4 * part)]) });
    e.emit(widening[type], [d, narrow]);
  },
};
