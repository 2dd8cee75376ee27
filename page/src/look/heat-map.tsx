// The small map of a head's attention weights, and the cells that the large one has, too.
import { useEffect, useRef } from "preact/hooks";

interface MapProps {
  readonly weights: readonly number[];
  readonly tokens: number;
  /** Pixels per side of a cell. */
  readonly cell: number;
  /** The map is drawn again in the colours of another one. */
  readonly theme: string;
}

/** A cell per token and token that it looks at; the button around it says which head it is. */
export function HeatMap({ weights, tokens, cell, theme }: MapProps) {
  const canvas = useRef<HTMLCanvasElement | null>(null);
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context) return;
    context.clearRect(0, 0, context.canvas.width, context.canvas.height);
    drawCells(context, { weights, tokens, cell, colours: getComputedStyle(context.canvas) });
  }, [weights, tokens, cell, theme]);
  return (
    <span class="map" aria-hidden="true">
      <canvas ref={canvas} width={tokens * cell} height={tokens * cell} />
    </span>
  );
}

interface Cells {
  /** The weights in thousandths, those on and below the diagonal, row by row. */
  readonly weights: readonly number[];
  readonly tokens: number;
  readonly cell: number;
  /** The row with a frame. */
  readonly row?: number;
  /** Where the colours of the theme are. */
  readonly colours: CSSStyleDeclaration;
}

/** Draws the cells from the context's origin. */
export function drawCells(context: CanvasRenderingContext2D, { weights, tokens, cell, row, colours }: Cells): void {
  context.fillStyle = colours.getPropertyValue("--accent");
  for (let at = 0, y = 0; y < tokens; y++)
    for (let x = 0; x <= y; x++, at++) {
      context.globalAlpha = Math.sqrt((weights[at] ?? 0) / 1000); // the root, so that small weights are seen
      context.fillRect(x * cell, y * cell, cell, cell);
    }
  context.globalAlpha = 1;
  if (row === undefined) return;
  context.strokeStyle = colours.getPropertyValue("--series-1");
  context.lineWidth = 2;
  context.strokeRect(1, row * cell + 1, (row + 1) * cell - 2, cell - 2);
}
