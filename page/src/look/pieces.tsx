// A text as coloured pieces with their ids and bytes; a word that is chosen shows its merges, one after another.
import { useEffect, useState } from "preact/hooks";
import type { LookPiece, LookText, LookWord } from "../../../src/serve/index.ts";
import { post, useAnswer } from "../api.ts";
import { digits, whole } from "../format.ts";
import { useWords } from "../words.ts";

/** Characters of a text at most, as the server has them. */
const mostCharacters = 1000;
/** Milliseconds without a key pressed before a text is asked about. */
const pauseMs = 250;
const colours = 8;

/** The card of pieces. @param name the model's */
export function Pieces({ name }: { readonly name: string }) {
  const { look: words, failed } = useWords();
  const [text, setText] = useState(words.firstText);
  const settled = useSettled(text);
  const [chosen, setChosen] = useState<number>();
  const { answer, problem } = useAnswer(settled, (signal) => post<LookText>("pieces", { model: name, text: settled }, signal));
  const word = answer && (answer.parts[chosen ?? -1] ?? mostMerged(answer.parts));
  return (
    <section class="card" aria-labelledby="look-pieces">
      <h2 id="look-pieces">{words.pieces}</h2>
      <p class="soft">{words.piecesHelp}</p>
      <textarea
        rows={2}
        maxLength={mostCharacters}
        value={text}
        aria-label={words.text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      {problem !== undefined && (
        <p class="message warning" role="alert">
          {failed + problem}
        </p>
      )}
      {answer && (
        <>
          <p class="soft">{words.count(whole(answer.count), whole(new TextEncoder().encode(settled).length))}</p>
          <Boxes answer={answer} chosen={word} onChoose={setChosen} />
          {word && <Word key={`${settled} ${chosen}`} word={word} />}
        </>
      )}
    </section>
  );
}

/** The word with the longest story; undefined where there is none. */
function mostMerged(words: readonly LookWord[]): LookWord | undefined {
  return words.reduce((most: LookWord | undefined, word) => (most && most.merges.length >= word.merges.length ? most : word), undefined);
}

/** The value once it has not changed for a while. */
export function useSettled(value: string): string {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), pauseMs);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}

/** What of white space and of unfinished characters can be seen. */
export function shownText({ text, bytes }: Pick<LookPiece, "text" | "bytes">): string {
  return text === undefined ? bytes : seen(text);
}

function seen(text: string): string {
  return text.replaceAll(" ", "␣").replaceAll("\n", "↵").replaceAll("\t", "⇥");
}

interface BoxesProps {
  readonly answer: LookText;
  readonly chosen: LookWord | undefined;
  readonly onChoose: (part: number) => void;
}

function Boxes({ answer, chosen, onChoose }: BoxesProps) {
  let place = answer.before.length;
  const groups = answer.parts.map((word) => {
    const first = place;
    place += word.pieces.length;
    return { word, first };
  });
  return (
    <div class="pieces">
      {answer.before.map((piece, i) => (
        <Box key={i} piece={piece} colour={i} />
      ))}
      {groups.map(({ word, first }, i) => (
        <button key={i} type="button" class="word" aria-pressed={word === chosen} onClick={() => onChoose(i)}>
          {word.pieces.map((piece, j) => (
            <Box key={j} piece={piece} colour={first + j} />
          ))}
        </button>
      ))}
      {answer.after.map((piece, i) => (
        <Box key={i} piece={piece} colour={place + i} />
      ))}
    </div>
  );
}

function Box({ piece, colour }: { readonly piece: LookPiece; readonly colour: number }) {
  const { look: words } = useWords();
  return (
    <span class={`piece c${colour % colours}${piece.isSpecial ? " special" : ""}`} title={piece.bytes}>
      <span class={piece.text === undefined ? "raw" : ""}>{shownText(piece)}</span>
      <small>{piece.id}</small>
      <span class="for-readers">{words.bytesOf(piece.bytes)}</span>
    </span>
  );
}

function Word({ word }: { readonly word: LookWord }) {
  const { look: words } = useWords();
  return (
    <div class="word-shown">
      <h3>{words.wordOf(word.pieces.map(shownText).join(""))}</h3>
      {word.merges.length > 0 && <Merges word={word} />}
      {word.merges.length === 0 && word.ways.length === 0 && (
        <p class="soft">{word.symbols.length > 0 && word.isWhole ? words.isWhole : words.noMerges}</p>
      )}
      {word.ways.length > 0 && <Ways word={word} />}
      <table>
        <thead>
          <tr>
            {[words.piece, words.id, words.bytes].map((title) => (
              <th key={title} scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {word.pieces.map((piece, i) => (
            <tr key={i}>
              <th scope="row">{shownText(piece)}</th>
              <td>{piece.id}</td>
              <td>
                <code>{piece.bytes}</code>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A slider through the merges; the symbols are shown as the vocabulary writes them. */
function Merges({ word: { symbols, merges } }: { readonly word: LookWord }) {
  const { look: words } = useWords();
  const [done, setDone] = useState(merges.length);
  const rows = mergeRows(symbols, merges);
  const { symbols: now, last, text } = rows[done] ?? { symbols, last: -1, text: undefined };
  const said = text === undefined ? words.beforeMerges : words.merged(text.left, text.right, digits(text.rank));
  return (
    <>
      <label class="wide">
        <span>
          {words.merges}
          <span class="figure">
            {done} / {merges.length}
          </span>
        </span>
        <input
          type="range"
          min={0}
          max={merges.length}
          value={done}
          aria-valuetext={`${done}: ${said}`}
          onInput={(event) => setDone(Number(event.currentTarget.value))}
        />
      </label>
      <div class="pieces">
        {now.map((symbol, i) => (
          <span key={i} class={`piece c${i % colours}${i === last ? " fresh" : ""}`}>
            {seen(symbol)}
          </span>
        ))}
      </div>
      <p class="soft">{said}</p>
    </>
  );
}

interface MergeRow {
  readonly symbols: readonly string[];
  /** The place of the last merge; −1 where there was none. */
  readonly last: number;
  readonly text: { readonly left: string; readonly right: string; readonly rank: number } | undefined;
}

/** The symbols in front of the first merge, and behind each. */
function mergeRows(symbols: readonly string[], merges: LookWord["merges"]): MergeRow[] {
  const rows: MergeRow[] = [{ symbols, last: -1, text: undefined }];
  let now = symbols;
  for (const { at, result, rank } of merges) {
    const [left = "", right = ""] = now.slice(at, at + 2);
    now = [...now.slice(0, at), result, ...now.slice(at + 2)];
    rows.push({ symbols: now, last: at, text: { left, right, rank } });
  }
  return rows;
}

function Ways({ word: { ways } }: { readonly word: LookWord }) {
  const { look: words } = useWords();
  return (
    <>
      <p class="soft">{words.ways}</p>
      <table>
        <thead>
          <tr>
            <th scope="col">{words.way}</th>
            <th scope="col">{words.sum}</th>
          </tr>
        </thead>
        <tbody>
          {ways.map(({ pieces, sum }, i) => (
            <tr key={i}>
              <td class="pieces">
                {pieces.map((piece, j) => (
                  <span key={j} class={`piece c${j % colours}`}>
                    {seen(piece)}
                  </span>
                ))}
              </td>
              <td>{digits(sum)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
