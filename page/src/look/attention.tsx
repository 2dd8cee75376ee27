// What the tokens of a text attend to, by layer and head: a small map per head, the chosen one in large, and the chosen token's row in words.
import { useState } from "preact/hooks";
import type { LookAttention } from "../../../src/serve/index.ts";
import { post, useAnswer } from "../api.ts";
import { digits } from "../format.ts";
import { useWords } from "../words.ts";
import { HeatMap } from "./heat-map.tsx";
import { LabelledMap } from "./labelled-map.tsx";
import { shownText, useSettled } from "./pieces.tsx";

/** Characters of a text at most; the server refuses those of too many tokens. */
const mostCharacters = 1000;
/** Pixels per cell of a head's small map: fewer where a text has many tokens. */
const smallCell = (tokens: number) => Math.max(1, Math.min(8, Math.floor(64 / tokens)));
/** Tokens that the text alternative names, those that are looked at most. */
const mostNamed = 6;

interface AttentionProps {
  /** The model's name. */
  readonly name: string;
  readonly layers: number;
  /** The maps are drawn again in the colours of another one. */
  readonly theme: string;
}

/** The card of attention weights. */
export function Attention({ name, layers, theme }: AttentionProps) {
  const { look: words, failed } = useWords();
  const [text, setText] = useState(words.attentionText);
  const settled = useSettled(text);
  const [layer, setLayer] = useState(0);
  const asked = { model: name, text: settled, layer };
  const { answer, problem } = useAnswer(JSON.stringify(asked), (signal) => post<LookAttention>("attention", asked, signal));
  return (
    <section class="card" aria-labelledby="look-attention">
      <h2 id="look-attention">{words.attention}</h2>
      <p class="soft">{words.attentionHelp}</p>
      <textarea
        rows={2}
        maxLength={mostCharacters}
        value={text}
        aria-label={words.attentionTextLabel}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <label class="wide">
        <span>
          {words.layerLabel}
          <span class="figure">
            {layer} / {layers - 1}
          </span>
        </span>
        <input type="range" min={0} max={layers - 1} value={layer} onInput={(event) => setLayer(Number(event.currentTarget.value))} />
      </label>
      {problem !== undefined && (
        <p class="message warning" role="alert">
          {failed + problem}
        </p>
      )}
      {answer && <Heads answer={answer} theme={theme} />}
    </section>
  );
}

function Heads({ answer, theme }: { readonly answer: LookAttention; readonly theme: string }) {
  const { look: words } = useWords();
  const [chosen, setChosen] = useState(0);
  const [pointed, setPointed] = useState<number>();
  const tokens = answer.pieces.length;
  const head = Math.min(chosen, answer.heads.length - 1);
  const row = Math.min(pointed ?? tokens - 1, tokens - 1);
  const weights = answer.heads[head] ?? [];
  return (
    <>
      <section class="heads" aria-label={words.heads}>
        {answer.heads.map((one, i) => (
          <button key={i} type="button" aria-pressed={i === head} onClick={() => setChosen(i)}>
            <HeatMap weights={one} tokens={tokens} cell={smallCell(tokens)} theme={theme} />
            {words.head(i)}
          </button>
        ))}
      </section>
      <div class="attention">
        <LabelledMap weights={weights} pieces={answer.pieces} theme={theme} row={row} onRow={setPointed} />
        <Row answer={answer} weights={rowOf(weights, row)} row={row} onRow={setPointed} />
      </div>
    </>
  );
}

/** The weights of a token: those of the tokens up to it. */
function rowOf(weights: readonly number[], row: number): readonly number[] {
  const first = (row * (row + 1)) / 2;
  return weights.slice(first, first + row + 1);
}

interface RowProps {
  readonly answer: LookAttention;
  readonly weights: readonly number[];
  readonly row: number;
  readonly onRow: (row: number) => void;
}

/** The text with what the chosen token looks at as colours, and the same in words. */
function Row({ answer: { pieces }, weights, row, onRow }: RowProps) {
  const { look: words } = useWords();
  const named = weights
    .map((weight, place) => ({ weight, place }))
    .sort((a, b) => b.weight - a.weight)
    .slice(0, mostNamed);
  const nameOf = (place: number) => `${place} ${shownText(pieces[place] ?? { bytes: "" })}`;
  return (
    <div>
      <label class="wide">
        <span>{words.lookingToken}</span>
        <select value={row} onChange={(event) => onRow(Number(event.currentTarget.value))}>
          {pieces.map((_, place) => (
            <option key={place} value={place}>
              {nameOf(place)}
            </option>
          ))}
        </select>
      </label>
      <div class="pieces" aria-hidden="true">
        {pieces.map((piece, place) => (
          <span key={place} class={`piece looked${place === row ? " fresh" : ""}`}>
            <span class="shade" style={{ opacity: 0.5 * Math.sqrt((weights[place] ?? 0) / 1000) }} />
            {shownText(piece)}
          </span>
        ))}
      </div>
      <table>
        <thead>
          <tr>
            <th scope="col">{words.lookedAt}</th>
            <th scope="col">{words.weight}</th>
          </tr>
        </thead>
        <tbody aria-live="polite">
          {named.map(({ weight, place }) => (
            <tr key={place}>
              <th scope="row">{nameOf(place)}</th>
              <td>{digits(weight / 10)}&nbsp;%</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
