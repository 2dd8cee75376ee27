// The control pieces a tokenizer is trained with.
import { check } from "../base/index.ts";
import type { TextTemplate } from "./model.ts";

/** The pieces and which of them plays which part. `unk`, `bos` and `eos` need not be repeated in `others`. */
export interface SpecialPieces {
  readonly unk?: string;
  readonly bos?: string;
  readonly eos?: string;
  readonly others?: readonly string[];
}

/** All of them in the order unk, bos, eos, others. @throws CriaError when one is empty or comes twice. */
export function listSpecials({ unk, bos, eos, others = [] }: SpecialPieces): string[] {
  const all = [...[unk, bos, eos].filter((piece) => piece !== undefined), ...others];
  const isFine = all.every((piece) => piece !== "") && new Set(all).size === all.length;
  check(isFine, "tokenizer", () => `special pieces must differ and not be empty: ${JSON.stringify(all)}`);
  return all;
}

/** The roles as ids, when the pieces stand at `offset` and after. A begin-of-text piece stands in front of every text, as in LLaMA. */
export function specialRoles(
  specials: SpecialPieces,
  offset: number,
): { specials: number[]; bosId?: number; eosId?: number; template?: TextTemplate } {
  const all = listSpecials(specials);
  const idOf = (piece: string | undefined) => (piece === undefined ? undefined : offset + all.indexOf(piece));
  const bosId = idOf(specials.bos);
  const eosId = idOf(specials.eos);
  return {
    specials: all.map((_, i) => offset + i),
    ...(bosId === undefined ? {} : { bosId, template: { before: [bosId], after: [] } }),
    ...(eosId === undefined ? {} : { eosId }),
  };
}
