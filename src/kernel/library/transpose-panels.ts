// Rows ↔ panels: element p of row j is column j of step p of the panel, so that lanes are rows. Bits are moved, not computed with.
import type { Builder, Int, Position, Vec } from "../language.ts";
import { eachStep, panelWidth, scaled } from "./product.ts";

/** Rows in memory and the panel that they are transposed into, or come from. */
export interface RowsAndPanel {
  /** The first row, and bytes from a row to the next. */
  readonly rows: Int;
  readonly stride: number;
  /** Rows that exist; the panel has zeros for the others. */
  readonly count: number;
  readonly panel: Int;
  /** Bits that differ between rows and panel, of every word; none by default. */
  readonly flip?: number;
}

/** What is moved as one: 32 bits, 16 bits, or the 16 bits that are left of a last word, whose upper half is zero in the panel. */
type Element = "word" | "u16" | "last half";

/** Writes rows of `depth` elements into a panel. A depth of words may end with half a word. */
export function rowsToPanel(k: Builder, element: "word" | "u16", memory: RowsAndPanel, depth: number): void {
  const { rows, stride, count, panel, flip } = memory;
  eachSquare(k, element, depth, (element, elements, at) => {
    const from = rows.add(at.row);
    const lines = Array.from({ length: k.laneCount }, (_, i) =>
      at.column + i < count ? load(k, element, { base: from, at: positionOf(k, elements), bytes: (at.column + i) * stride }) : k.variable(),
    );
    k.transpose(lines)
      .slice(0, elements)
      .forEach((line, p) => storeIn(k, element, flipped(k, line, flip), panel.add(at.panel), at.step * p + at.offset));
  });
}

/** Writes rows of `depth` elements from a panel, and nothing else: the inverse of {@link rowsToPanel}. */
export function panelToRows(k: Builder, element: "word" | "u16", memory: RowsAndPanel, depth: number): void {
  const { rows, stride, count, panel, flip } = memory;
  eachSquare(k, element, depth, (element, elements, at) => {
    const from = panel.add(at.panel);
    const lines = Array.from({ length: k.laneCount }, (_, p) =>
      p < elements ? loadOf(k, element, from, at.step * p + at.offset) : k.variable(),
    );
    const to = rows.add(at.row);
    k.transpose(lines).forEach((line, i) => {
      const row = at.column + i;
      if (row < count) store(k, element, flipped(k, line, flip), { base: to, at: positionOf(k, elements), bytes: row * stride });
    });
  });
}

interface Square {
  /** Bytes to the square's elements in a row, and to its first step in the panel. */
  readonly row: Int | number;
  readonly panel: Int | number;
  /** The first of its columns, and bytes to it in a step. */
  readonly column: number;
  readonly offset: number;
  /** Bytes of a step. */
  readonly step: number;
}

/** Squares of lanes × lanes; `body` gets how many elements of a row are in one. */
function eachSquare(
  k: Builder,
  element: "word" | "u16",
  depth: number,
  body: (element: Element, elements: number, at: Square) => void,
): void {
  const width = panelWidth(k.target);
  const bytes = element === "word" ? 4 : 2;
  const squares = (element: Element, elements: number, first: Int | number) => {
    for (let column = 0; column < width; column += k.laneCount) {
      const place = { row: scaled(first, bytes), panel: scaled(first, width * bytes), step: width * bytes };
      body(element, elements, { ...place, column, offset: column * bytes });
    }
  };
  const whole = Math.floor(depth);
  eachStep(k, whole, k.laneCount, (elements, first) => squares(element, elements, first));
  if (depth > whole) squares("last half", 1, whole);
}

function positionOf(k: Builder, elements: number): Position {
  return { offset: 0, span: elements === k.laneCount ? "full" : elements, copy: 0 };
}

/** Elements of a row, so many bytes behind `base`. */
interface RowPlace {
  readonly base: Int;
  readonly at: Position;
  readonly bytes: number;
}

function load(k: Builder, element: Element, { base, at, bytes }: RowPlace): Vec {
  return element === "word" ? k.load(base, at, bytes) : k.loadNarrow("u16", base, at, bytes);
}

function store(k: Builder, element: Element, value: Vec, { base, at, bytes }: RowPlace): void {
  if (element === "word") k.store(value, base, at, bytes);
  else k.storeNarrow("u16", value, base, at, bytes);
}

/** A step of the panel at a byte offset. */
function loadOf(k: Builder, element: Element, panel: Int, bytes: number): Vec {
  return element === "u16" ? k.loadNarrow("u16", panel, undefined, bytes) : k.load(panel, undefined, bytes);
}

function storeIn(k: Builder, element: Element, value: Vec, panel: Int, bytes: number): void {
  if (element === "u16") k.storeNarrow("u16", value, panel, undefined, bytes);
  else k.store(value, panel, undefined, bytes);
}

function flipped(k: Builder, value: Vec, flip: number | undefined): Vec {
  return flip === undefined ? value : value.xor(k.intConstant(flip));
}
