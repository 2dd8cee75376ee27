// A text that a model goes on from: every token with its probability as a colour and what else might have stood there, to go on from instead.
import { Fragment } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { ModelFacts } from "../../../src/serve/index.ts";
import { digits } from "../format.ts";
import { useHeld } from "../settings.ts";
import { useWords } from "../words.ts";
import { noSampling, type Sampling, SamplingSettings, samplingBody } from "./settings.tsx";
import { type Chunk, streamed } from "./stream.ts";
import { endsWhole, shownTexts, visible } from "./tokens.ts";

/** A token that was written, with the most probable ones in its place. */
interface Written {
  /** The text as log-probabilities tell it: a part of a character is told by its bytes. */
  readonly text: string;
  readonly probability: number | undefined;
  readonly others: readonly { readonly text: string; readonly probability: number }[];
}

/** Tokens that are told in the place of each. */
const others = 8;
const usualTokens = "64";

/** A box to write in together. */
export function Completion({ facts }: { readonly facts: ModelFacts }) {
  const all = useWords();
  const { talk: words } = all;
  const [prompt, setPrompt] = useHeld(`prompt ${facts.name}`, "");
  const [written, setWritten] = useHeld<readonly Written[]>(`written ${facts.name}`, []);
  const [sampling, setSampling] = useHeld<Sampling>(`completion ${facts.name}`, { ...noSampling, max_tokens: usualTokens });
  const [pointed, setPointed] = useState<number>();
  const [pinned, setPinned] = useState<number>();
  const chosen = pinned ?? pointed;
  const [problem, setProblem] = useState("");
  const [isWriting, setWriting] = useState(false);
  const controller = useRef<AbortController | null>(null);
  useEffect(() => () => controller.current?.abort(), []);
  const leave = () => {
    controller.current?.abort();
    controller.current = null;
    setWriting(false);
    setPointed(undefined);
    setPinned(undefined);
    setProblem("");
  };
  const write = async (before: readonly Written[]) => {
    leave();
    const own = new AbortController();
    controller.current = own;
    const from = wholeOf(before);
    setWritten(from);
    setWriting(true);
    try {
      const text = prompt + shownTexts(textsOf(from)).join("");
      const { response_format: _, ...options } = samplingBody(sampling, all);
      const body = { model: facts.name, prompt: text, logprobs: others, ...options };
      for await (const chunk of streamed("v1/completions", body, own.signal)) {
        if (controller.current !== own) return;
        setWritten((now) => [...now, ...writtenIn(chunk)]);
      }
    } catch (error) {
      if (!own.signal.aborted) setProblem(error instanceof Error ? error.message : String(error));
    } finally {
      if (controller.current === own) setWriting(false);
    }
  };
  const pick = (place: number, text: string) => {
    const before = written[place];
    if (before === undefined) return;
    const probability = before.others.find((one) => one.text === text)?.probability;
    void write([...written.slice(0, place), { ...before, text, probability }]);
  };
  return (
    <div class="columns">
      <div class="card side">
        <p class="soft">{words.textHelp}</p>
        <SamplingSettings sampling={sampling} onChange={setSampling} hasSchema={false} />
      </div>
      <section class="card chat" aria-label={words.text}>
        <textarea
          rows={4}
          aria-label={words.prompt}
          placeholder={words.promptHelp}
          value={prompt}
          onInput={(event) => {
            leave();
            setPrompt(event.currentTarget.value);
            setWritten([]);
          }}
        />
        <div class="buttons">
          {isWriting ? (
            <button type="button" onClick={() => controller.current?.abort()}>
              {words.stopWriting}
            </button>
          ) : (
            <button type="button" onClick={() => write(written)}>
              {written.length > 0 ? words.more : words.write}
            </button>
          )}
          <button type="button" class="quiet" disabled={written.length === 0} onClick={() => write([])}>
            {words.again}
          </button>
        </div>
        {problem !== "" && (
          <p class="message warning" role="alert">
            {all.failed + problem}
          </p>
        )}
        <Tokens {...{ written, chosen }} onPoint={setPointed} onPin={(place) => setPinned(place === pinned ? undefined : place)} />
        {chosen !== undefined && written[chosen] && (
          <Others one={written[chosen]} before={textsOf(written.slice(0, chosen))} onPick={(text) => pick(chosen, text)} />
        )}
      </section>
    </div>
  );
}

function textsOf(written: readonly Written[]): string[] {
  return written.map(({ text }) => text);
}

/** Drops tokens at the end that hold only a part of a character: a text cannot go on from there. */
function wholeOf(written: readonly Written[]): readonly Written[] {
  return written.length === 0 || endsWhole(textsOf(written)) ? written : wholeOf(written.slice(0, -1));
}

function writtenIn({ choices }: Chunk): Written[] {
  const { text, logprobs } = choices[0] ?? {};
  const { tokens = [], token_logprobs: own = [], top_logprobs: top = [] } = logprobs ?? {};
  if (tokens.length === 0) return text ? [{ text, probability: undefined, others: [] }] : [];
  return tokens.map((token, i) => ({
    text: token,
    probability: own[i] === null || own[i] === undefined ? undefined : Math.exp(own[i]),
    others: Object.entries(top[i] ?? {})
      .map(([other, logProbability]) => ({ text: other, probability: Math.exp(logProbability) }))
      .sort((a, b) => b.probability - a.probability),
  }));
}

interface TokensProps {
  readonly written: readonly Written[];
  readonly chosen: number | undefined;
  readonly onPoint: (place: number) => void;
  /** What is pinned stays until another token is, or the same one again. */
  readonly onPin: (place: number) => void;
}

/** Colours in five steps, so that they can be told apart. */
function stepOf(probability: number | undefined): number {
  return probability === undefined ? 0 : 1 + [0.9, 0.6, 0.3, 0.1].filter((least) => probability < least).length;
}

function Tokens({ written, chosen, onPoint, onPin }: TokensProps) {
  const { talk: words } = useWords();
  const shown = shownTexts(textsOf(written));
  return (
    <p class="tokens">
      {written.map((one, place) => (
        <Fragment key={place}>
          <button
            type="button"
            class={`token p${stepOf(one.probability)}`}
            title={one.probability === undefined ? undefined : `${digits(100 * one.probability)} %`}
            aria-pressed={place === chosen}
            aria-label={words.tokenOf(
              shown[place] || visible(one.text),
              one.probability === undefined ? "–" : digits(100 * one.probability),
            )}
            onClick={() => onPin(place)}
            onMouseEnter={() => onPoint(place)}
          >
            {shown[place]?.replaceAll("\n", "↵") || "·"}
          </button>
          {one.text.includes("\n") && <br />}
        </Fragment>
      ))}
    </p>
  );
}

interface OthersProps {
  readonly one: Written;
  /** The tokens before it. */
  readonly before: readonly string[];
  readonly onPick: (text: string) => void;
}

function Others({ one, before, onPick }: OthersProps) {
  const { talk: words } = useWords();
  return (
    <div class="others">
      <p class="soft">{words.instead}</p>
      {one.others.map(({ text, probability }) => {
        const isWhole = endsWhole([...before, text]);
        return (
          <button
            key={text}
            type="button"
            disabled={text === one.text || !isWhole}
            title={isWhole ? undefined : words.part}
            onClick={() => onPick(text)}
          >
            <code>{visible(text)}</code> <span>{digits(100 * probability)} %</span>
            <meter min={0} max={1} value={probability} aria-hidden="true" />
          </button>
        );
      })}
    </div>
  );
}
