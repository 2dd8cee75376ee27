// A unigram model's best ways through a word: the way with the highest sum of scores is taken (Kudo 2018), and those behind it are shown.
import { byteFallbackIds } from "./byte-pieces.ts";
import { utf8Bytes } from "./codec.ts";
import type { ExplainedPath, ExplainedWord } from "./explain.ts";
import type { UnigramModel } from "./model.ts";
import { scoringOf, textIds } from "./unigram-codec.ts";

/** So many ways are kept. */
const shown = 3;

/** A way to a place of the word: its last piece, and the way to where that begins. */
interface Way {
  readonly sum: number;
  readonly id: number;
  readonly piece: string;
  readonly score: number;
  readonly before?: Way;
}

/** What explains the best ways through a word. */
export function pathExplainer(model: UnigramModel, ids: ReadonlyMap<string, number>): (word: string) => ExplainedWord {
  const all = textIds(model);
  const pieces = new Map(all.map((id) => [model.pieces[id]!, id]));
  const longest = all.reduce((most, id) => Math.max(most, Array.from(model.pieces[id]!).length), 1);
  const scoring = scoringOf(model, all);
  const candidates = (characters: readonly string[], at: number) => {
    const found: { readonly end: number; readonly id: number; readonly piece: string; readonly score: number }[] = [];
    for (let end = at + 1; end <= Math.min(characters.length, at + longest); end++) {
      const piece = characters.slice(at, end).join("");
      const id = pieces.get(piece);
      if (id !== undefined) found.push({ end, id, piece, score: scoring.scoreOf(id, utf8Bytes(piece).length) });
    }
    const isKnown = found.some(({ end }) => end === at + 1);
    return isKnown ? found : [...found, { end: at + 1, id: model.unkId, piece: characters[at]!, score: scoring.unknown }];
  };
  return (text) => {
    const characters = Array.from(text);
    const ways: Way[][] = characters.map(() => []);
    ways.push([]);
    for (let at = 0; at < characters.length; at++) {
      const before: readonly (Way | undefined)[] = at === 0 ? [undefined] : ways[at]!;
      for (const { end, id, piece, score } of candidates(characters, at))
        for (const way of before)
          insert(ways[end]!, {
            sum: scoring.round(score + (way?.sum ?? 0)),
            id,
            piece,
            score,
            ...(way === undefined ? {} : { before: way }),
          });
    }
    const paths = ways.at(-1)!.map(pathOf);
    return { text, symbols: characters, isWhole: false, merges: [], paths, ids: paths[0] === undefined ? [] : idsOf(model, paths[0], ids) };
  };
}

/** The way comes behind those that are as good, so that of two the one that was found first stays in front. */
function insert(ways: Way[], way: Way): void {
  const at = ways.findIndex(({ sum }) => way.sum > sum);
  ways.splice(at < 0 ? ways.length : at, 0, way);
  if (ways.length > shown) ways.pop();
}

function pathOf(last: Way): ExplainedPath {
  const ways: Way[] = [];
  for (let way: Way | undefined = last; way !== undefined; way = way.before) ways.unshift(way);
  return { ids: ways.map(({ id }) => id), pieces: ways.map(({ piece }) => piece), scores: ways.map(({ score }) => score), sum: last.sum };
}

/** An unknown is its bytes, or one for a run. */
function idsOf({ unkId, byteFallback }: UnigramModel, path: ExplainedPath, ids: ReadonlyMap<string, number>): number[] {
  const byteIds = byteFallback ? byteFallbackIds(ids) : undefined;
  return path.ids.flatMap((id, i) => {
    if (id !== unkId) return [id];
    if (byteIds !== undefined) return Array.from(utf8Bytes(path.pieces[i]!), (byte) => byteIds[byte]!);
    return path.ids[i - 1] === unkId ? [] : [id];
  });
}
