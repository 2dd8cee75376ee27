// How probable a model finds continuations, as evaluations ask for it (lm-evaluation-harness: loglikelihood and loglikelihood_rolling).
import { check } from "../base/index.ts";
import { atOnce } from "./at-once.ts";
import type { LanguageModel } from "./generate-tokens.ts";
import { followingLogProbabilities } from "./prompt-log-probabilities.ts";
import type { SequenceOptions } from "./sequence.ts";

/** Texts that are scored at the same time: as many as have logits of 6 MB in a pass, which are read in some milliseconds, with 49,152 tokens. */
const textsAtOnce = 4;

/** A text, of which the tokens from `from` on are scored, given all before them. */
export interface TextToScore {
  readonly ids: readonly number[];
  /** The first token that is scored: from 1, and below the number of ids. */
  readonly from: number;
}

/** A token and its log-probability, in nats. */
export interface ScoredToken {
  readonly id: number;
  readonly logProbability: number;
}

/** How probable a continuation is. */
export interface Score {
  /** The sum of its tokens' log-probabilities, in nats. */
  readonly logProbability: number;
  /** Whether each of its tokens is the most probable one where it stands. */
  readonly isGreedy: boolean;
  readonly tokens: readonly ScoredToken[];
}

/** Who is told to stop, and whose pages may be used. */
export interface ScoreOptions extends SequenceOptions {
  readonly signal?: AbortSignal | undefined;
}

/**
 * Scores texts at the same time. What all of them begin with is computed once.
 * @throws CriaError where nothing is to be scored, or a text does not fit the context
 */
export async function scoreTexts(
  model: LanguageModel,
  texts: readonly TextToScore[],
  { signal, cacheSalt }: ScoreOptions = {},
): Promise<Score[]> {
  for (const text of texts) checkText(text, model.contextLength);
  const shared = commonStart(texts);
  using begun = model.sequence({ cacheSalt });
  if (shared > 0) await begun.next(texts[0]?.ids.slice(0, shared) ?? [], signal);
  return await atOnce(texts, textsAtOnce, async ({ ids, from }) => {
    using sequence = begun.fork?.();
    check(sequence !== undefined, "infer", () => "scores need a model that forks sequences");
    if (from - 1 > shared) await sequence.next(ids.slice(shared, from - 1), signal);
    const told = await followingLogProbabilities(sequence, ids.slice(from - 1), { most: 1, signal });
    return {
      logProbability: told.reduce((sum, { logProbability }) => sum + logProbability, 0),
      isGreedy: told.every(({ id, top }) => top[0]?.id === id),
      tokens: told.map(({ id, logProbability }) => ({ id, logProbability })),
    };
  });
}

function checkText({ ids, from }: TextToScore, contextLength: number): void {
  check(from >= 1, "infer", () => "a first token has no probability, as nothing stands before it: give a prompt");
  check(from < ids.length, "infer", () => "the continuation has no token: give one");
  check(
    ids.length - 1 <= contextLength,
    "infer",
    () =>
      `the prompt has ${from} tokens and the continuation ${ids.length - from}, of which ${ids.length - 1} are read, but the context holds ${contextLength}: shorten the prompt`,
  );
}

/** How many first tokens all texts share that none of them is asked for. */
function commonStart(texts: readonly TextToScore[]): number {
  const [first] = texts;
  let shared = Math.max(0, Math.min(...texts.map(({ from }) => from - 1)));
  for (const { ids } of texts) {
    let same = 0;
    while (same < shared && ids[same] === first?.ids[same]) same++;
    shared = same;
  }
  return Number.isFinite(shared) ? shared : 0;
}

/**
 * Cuts a text that may be longer than the context into windows, so that each of its tokens is scored once: the first window is as long as the context
 * allows, and each later one begins `overlap` tokens before the first that it scores, or further in front, so that it is as long.
 * @param prefix stands before the first token, as a begin-of-text token
 * @param overlap from 1 to the context: more of it takes more time, and gives tokens more to go by
 */
export function rollingWindows(ids: readonly number[], prefix: number, contextLength: number, overlap: number): TextToScore[] {
  check(
    Number.isSafeInteger(overlap) && overlap >= 1 && overlap <= contextLength,
    "infer",
    () => `overlap is ${overlap} but must be an integer from 1 to ${contextLength}, the tokens of the context`,
  );
  check(ids.length > 0, "infer", () => "a text without tokens has no log-probabilities: give one");
  const windows: TextToScore[] = [{ ids: [prefix, ...ids.slice(0, contextLength)], from: 1 }];
  const most = contextLength - overlap + 1;
  for (let done = contextLength; done < ids.length; ) {
    const scored = Math.min(ids.length - done, most);
    done += scored;
    const window = ids.slice(done - contextLength - 1, done);
    windows.push({ ids: window, from: window.length - scored });
  }
  return windows;
}

/** Scores of windows as that of one text. */
export function joinScores(scores: readonly Score[]): Score {
  return {
    logProbability: scores.reduce((sum, { logProbability }) => sum + logProbability, 0),
    isGreedy: scores.every(({ isGreedy }) => isGreedy),
    tokens: scores.flatMap(({ tokens }) => tokens),
  };
}
