// The large map of attention weights: a cell per token and token that it looks at, as wide as there is room, with the tokens' texts along both axes.
import { useEffect, useRef, useState } from "preact/hooks";
import type { LookPiece } from "../../../src/serve/index.ts";
import { drawCells } from "./heat-map.tsx";
import { shownText } from "./pieces.tsx";

/** All of these in pixels of the page. */
const mostWidth = 640;
const cellSizes = { least: 2, most: 28 } as const;
const fontSize = 11;
/** What a line of text takes: of tokens that lie closer together, only some have a label. */
const lineHeight = 12;
/** A label's width at most; longer texts are cut. */
const mostLabel = 76;
/** Between a label and the map. */
const gap = 5;

interface MapProps {
  readonly weights: readonly number[];
  readonly pieces: readonly LookPiece[];
  /** The map is drawn again in the colours of another one. */
  readonly theme: string;
  /** The row with a frame. */
  readonly row: number;
  readonly onRow: (row: number) => void;
}

/** What it shows is said in words beside it, so that readers of screens pass it by. */
export function LabelledMap({ weights, pieces, theme, row, onRow }: MapProps) {
  const around = useRef<HTMLSpanElement | null>(null);
  const canvas = useRef<HTMLCanvasElement | null>(null);
  const [room, setRoom] = useState(0);
  const cell = useRef(1);
  useEffect(() => {
    const element = around.current;
    if (element === null) return;
    const watcher = new ResizeObserver(() => setRoom(element.clientWidth));
    watcher.observe(element);
    return () => watcher.disconnect();
  }, []);
  useEffect(() => {
    if (canvas.current !== null && room > 0) cell.current = draw(canvas.current, { weights, texts: pieces.map(shownText), row, room });
  }, [weights, pieces, theme, row, room]);
  const rowAt = (y: number) => Math.max(0, Math.min(pieces.length - 1, Math.floor(y / cell.current)));
  return (
    <span class="map large" aria-hidden="true" ref={around}>
      <canvas ref={canvas} onPointerMove={({ offsetY }) => onRow(rowAt(offsetY))} />
    </span>
  );
}

interface Drawing {
  readonly weights: readonly number[];
  readonly texts: readonly string[];
  readonly row: number;
  /** The width that there is. */
  readonly room: number;
}

/** Draws map and labels. @returns the side of a cell */
function draw(canvas: HTMLCanvasElement, { weights, texts, row, room }: Drawing): number {
  const context = canvas.getContext("2d");
  if (context === null) return 1;
  const style = getComputedStyle(canvas);
  const font = `${fontSize}px ${style.fontFamily}`;
  context.font = font;
  const labels = texts.map((text) => fitted(context, text));
  const gutter = Math.ceil(Math.max(...labels.map((label) => context.measureText(label).width))) + 2 * gap;
  const ratio = devicePixelRatio;
  const fitting = Math.max(cellSizes.least, Math.min(cellSizes.most, (Math.min(room, mostWidth) - gutter) / texts.length));
  const cell = Math.floor(fitting * ratio) / ratio; // whole pixels of the screen, so that cells have sharp sides
  const side = cell * texts.length;
  resize(canvas, gutter + side, ratio);
  context.scale(ratio, ratio);
  context.save();
  context.translate(gutter, 0);
  drawCells(context, { weights, tokens: texts.length, cell, row, colours: style });
  context.restore();
  Object.assign(context, { font, textAlign: "right", textBaseline: "middle" });
  for (const place of labelled(texts.length, cell, row)) {
    const centre = Math.max(fontSize / 2, Math.min(side - fontSize / 2, (place + 0.5) * cell));
    context.fillStyle = style.getPropertyValue(place === row ? "--series-1" : "--text");
    context.fillText(labels[place] ?? "", gutter - gap, centre);
    context.save();
    context.translate(gutter + centre, side + gap);
    context.rotate(-Math.PI / 2);
    context.fillText(labels[place] ?? "", 0, 0);
    context.restore();
  }
  return cell;
}

/** Gives the canvas a size in pixels of the page, of which the screen has `ratio` for each; what was drawn is gone. */
function resize(canvas: HTMLCanvasElement, size: number, ratio: number): void {
  canvas.width = Math.round(size * ratio);
  canvas.height = canvas.width;
  Object.assign(canvas.style, { width: `${size}px`, height: `${size}px` });
}

/** The text, or as much of its beginning as a label has room for. */
function fitted(context: CanvasRenderingContext2D, text: string): string {
  if (context.measureText(text).width <= mostLabel) return text;
  const characters = [...text];
  while (characters.length > 1 && context.measureText(`${characters.join("")}…`).width > mostLabel) characters.pop();
  return `${characters.join("")}…`;
}

/** The tokens that have labels: the chosen one, and of the others as many as there are lines for. */
function labelled(tokens: number, cell: number, row: number): readonly number[] {
  const apart = Math.ceil(lineHeight / cell);
  const even = Array.from({ length: Math.ceil(tokens / apart) }, (_, i) => i * apart);
  return [...even.filter((place) => Math.abs(place - row) >= apart), row];
}
