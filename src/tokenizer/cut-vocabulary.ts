// Cutting a vocabulary to the pieces that a corpus uses. What stays beside them: bytes, special and added pieces, and the pieces that merges make on
// the way to a used one. Texts of used pieces are encoded as before, because every merge that they take is still there, and no other one is new.
import { check } from "../base/index.ts";
import { isBytePiece } from "./byte-pieces.ts";
import { checkNoAffix, eachMerge, endOfWord, type Merges, pieceIds, type TokenizerModel, type UnigramModel } from "./model.ts";
import { textIds } from "./unigram-codec.ts";

/** A vocabulary that was cut, and which ids stayed. */
export interface CutVocabulary {
  readonly model: TokenizerModel;
  /** New id → old id, ascending. */
  readonly oldIds: readonly number[];
}

/**
 * The model with the pieces of these ids and those that go with them, in their old order under the ids 0, 1, 2, …
 * @param used the ids that texts were encoded to
 * @throws CriaError for an id outside of the vocabulary
 */
export function cutVocabulary(model: TokenizerModel, used: Iterable<number>): CutVocabulary {
  checkNoAffix(model, "cut");
  const size = model.pieces.length;
  const kept = new Set(fixedIds(model));
  const parts = model.kind === "unigram" ? () => [] : partsOf(model);
  for (const id of used) {
    check(id >= 0 && id < size, "tokenizer", () => `id ${id} is outside the vocabulary of ${size} pieces: is it this tokenizer's?`);
    kept.add(id);
  }
  // An unused piece is made like another, and taken apart afterwards.
  for (const id of [...kept]) for (const part of parts(id)) kept.add(part);
  const oldIds = [...kept].sort((a, b) => a - b);
  return { model: renumbered(model, oldIds), oldIds };
}

/** The pieces that stay whatever the corpus: bytes, and all that stand apart from text. */
function fixedIds(model: TokenizerModel): number[] {
  const { pieces, specials, added = [], unused = [], matching = [], template } = model;
  const roles = [model.unkId, model.bosId, model.eosId, model.padId].filter((id) => id !== undefined);
  const around = [...(template?.before ?? []), ...(template?.after ?? [])];
  const bytes = [...pieces.keys()].filter((id) => isByte(model, pieces[id]!));
  return [...roles, ...specials, ...added, ...unused, ...matching.map(({ id }) => id), ...around, ...bytes, ...extremes(model)];
}

function isByte({ kind }: TokenizerModel, piece: string): boolean {
  if (kind === "word") return piece === endOfWord;
  return kind === "bytes" ? piece.length === 1 : isBytePiece(piece);
}

/** What an unknown and a user-defined piece weigh goes by the lowest and the highest score of a unigram model. */
function extremes(model: TokenizerModel): number[] {
  if (model.kind !== "unigram") return [];
  const { scores, sums, userDefined = [] } = model;
  const ids = sums === "float64" ? [...scores.keys()] : textIds(model).filter((id) => !userDefined.includes(id));
  const sorted = ids.sort((a, b) => scores[a]! - scores[b]!);
  return [...sorted.slice(0, 1), ...sorted.slice(-1), ...userDefined];
}

/** All that merges make of a piece's characters until it is whole; nothing for a piece that they do not make. */
function partsOf(model: Exclude<TokenizerModel, UnigramModel>): (id: number) => readonly number[] {
  const ids = pieceIds(model);
  const rankOf = rankBy(model, ids);
  return (id) => {
    const symbols = spelt(model, model.pieces[id]!);
    const made = [...symbols];
    for (let at = firstMerge(symbols, rankOf); at >= 0; at = firstMerge(symbols, rankOf)) {
      symbols.splice(at, 2, symbols[at]! + symbols[at + 1]!);
      made.push(symbols[at]!);
    }
    return symbols.length > 1 ? [] : made.flatMap((piece) => ids.get(piece) ?? []);
  };
}

type RankOf = (left: string, right: string) => number | undefined;

/** Lower ranks merge first. */
function rankBy(model: Exclude<TokenizerModel, UnigramModel>, ids: ReadonlyMap<string, number>): RankOf {
  const { pieces, merges } = model;
  if (merges !== undefined) {
    const key = (left: string, right: string) => `${left.length} ${left}${right}`;
    const ranks = new Map<string, number>();
    eachMerge(merges, (left, right, rank) => {
      const pair = key(pieces[left]!, pieces[right]!);
      if (!ranks.has(pair)) ranks.set(pair, rank);
    });
    return (left, right) => ranks.get(key(left, right));
  }
  const apart = new Set([...model.specials, ...(model.added ?? []), ...(model.kind === "bytes" ? (model.unused ?? []) : [])]);
  const scores = model.kind === "sentencepiece" ? model.scores : undefined;
  return (left, right) => {
    const id = ids.get(left + right);
    if (id === undefined || apart.has(id)) return undefined;
    return scores === undefined ? id : -scores[id]!;
  };
}

/** The place of the pair that merges first, the leftmost of equals; -1 where none does. */
function firstMerge(symbols: readonly string[], rankOf: RankOf): number {
  let best = Number.POSITIVE_INFINITY;
  let place = -1;
  for (let at = 0; at + 1 < symbols.length; at++) {
    const rank = rankOf(symbols[at]!, symbols[at + 1]!);
    if (rank === undefined || rank >= best) continue;
    best = rank;
    place = at;
  }
  return place;
}

function spelt({ kind }: TokenizerModel, piece: string): string[] {
  if (kind !== "word" || !piece.endsWith(endOfWord)) return Array.from(piece);
  return [...Array.from(piece.slice(0, -endOfWord.length)), endOfWord];
}

/** @param oldIds new id → old id */
function renumbered(model: TokenizerModel, oldIds: readonly number[]): TokenizerModel {
  const newIds = new Map(oldIds.map((old, id) => [old, id]));
  const one = (id: number) => newIds.get(id)!;
  const all = (ids: readonly number[]) => ids.map(one);
  const { added, unused, matching, template } = model;
  const roles = Object.fromEntries((["unkId", "bosId", "eosId", "padId"] as const).flatMap((role) => roleOf(model, role, one)));
  const common = {
    ...roles,
    pieces: oldIds.map((id) => model.pieces[id]!),
    specials: all(model.specials),
    ...(added === undefined ? {} : { added: all(added) }),
    ...(unused === undefined ? {} : { unused: all(unused) }),
    ...(matching === undefined ? {} : { matching: matching.map((rule) => ({ ...rule, id: one(rule.id) })) }),
    ...(template === undefined ? {} : { template: { before: all(template.before), after: all(template.after) } }),
  };
  const scored = (scores: readonly number[]) => oldIds.map((id) => scores[id]!);
  switch (model.kind) {
    case "unigram": {
      const { userDefined } = model;
      return { ...model, ...common, scores: scored(model.scores), ...(userDefined === undefined ? {} : { userDefined: all(userDefined) }) };
    }
    case "word":
      return { ...model, ...common, merges: mergesWithin(model, model.merges, newIds) };
    case "bytes":
      return { ...model, ...common, ...(model.merges === undefined ? {} : { merges: mergesWithin(model, model.merges, newIds) }) };
    case "sentencepiece": {
      const { merges, scores } = model;
      if (merges !== undefined) return { ...model, ...common, merges: mergesWithin(model, merges, newIds) };
      return { ...model, ...common, ...(scores === undefined ? {} : { scores: scored(scores) }) };
    }
    default:
      return model satisfies never;
  }
}

function roleOf(model: TokenizerModel, role: "unkId" | "bosId" | "eosId" | "padId", newId: (id: number) => number): [string, number][] {
  const id = model[role];
  return id === undefined ? [] : [[role, newId(id)]];
}

/** The merges of kept pieces whose result is kept, too. */
function mergesWithin({ pieces }: TokenizerModel, merges: Merges, newIds: ReadonlyMap<number, number>): Merges {
  const kept = new Set([...newIds.keys()].map((id) => pieces[id]!));
  const within: number[] = [];
  eachMerge(merges, (left, right) => {
    const [newLeft, newRight] = [newIds.get(left), newIds.get(right)];
    if (newLeft !== undefined && newRight !== undefined && kept.has(pieces[left]! + pieces[right]!)) within.push(newLeft, newRight);
  });
  return Int32Array.from(within);
}
