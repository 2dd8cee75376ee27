// A chart of curves: uPlot, with the page's colours and words.
import { useEffect, useMemo, useRef } from "preact/hooks";
import uPlot from "uplot";
import { digits } from "./format.ts";

/** A curve, or dots, over values of x that rise. */
export interface ChartSeries {
  readonly label: string;
  readonly x: readonly number[];
  readonly y: readonly (number | null)[];
  /** A band around the curve. */
  readonly low?: readonly (number | null)[];
  readonly high?: readonly (number | null)[];
  /** The number of its colour: 0 to 7. */
  readonly colour: number;
  readonly as: "line" | "dots" | "dashed";
}

/** What a chart shows. */
export interface ChartProps {
  readonly title: string;
  /** What a screen reader says of it. */
  readonly description: string;
  readonly series: readonly ChartSeries[];
  readonly isLogX: boolean;
  readonly isLogY: boolean;
  /** What lies across. */
  readonly axis: string;
  readonly formatX: (value: number) => string;
  readonly formatY?: (value: number) => string;
  /** Charts of one name have one cursor. */
  readonly sync?: string;
  /** Is told what a person has dragged across, and of nothing where all is to be seen again. */
  readonly onZoom?: (range: readonly [number, number] | undefined) => void;
  readonly height?: number;
}

/** Changes with the colours of the page, so that charts are drawn anew. */
export function Chart(props: ChartProps & { readonly theme: string }) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const newest = useRef(props);
  newest.current = props;
  const { series, axis, isLogX, isLogY, theme, title, description, height = 220 } = props;
  const shape = JSON.stringify([
    axis,
    series.map(({ label, colour, as, low }) => [label, colour, as, low !== undefined]),
    isLogX,
    isLogY,
    theme,
    height,
  ]);
  const data = useMemo(() => aligned(series), [series]);
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const made = new uPlot(optionsFor(newest, element.clientWidth), aligned(newest.current.series), element);
    plot.current = made;
    const watcher = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    watcher.observe(element);
    return () => {
      watcher.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape]);
  useEffect(() => plot.current?.setData(data), [data]);
  return (
    <figure class="chart">
      <figcaption>{title}</figcaption>
      <div ref={place} role="img" aria-label={description} />
    </figure>
  );
}

/** The curves over all values of x that any of them has. */
function aligned(series: readonly ChartSeries[]): uPlot.AlignedData {
  const tables = series.map(({ x, y, low, high }): uPlot.AlignedData => [[...x], ...(low && high ? [[...high], [...low]] : []), [...y]]);
  if (tables.length === 0) return [[]];
  return uPlot.join(
    tables,
    tables.map(() => [1, 1, 1, 1]),
  );
}

function optionsFor(newest: { readonly current: ChartProps }, width: number): uPlot.Options {
  const { series, isLogX, isLogY, sync, height = 220 } = newest.current;
  const style = getComputedStyle(document.documentElement);
  const colourOf = (name: string) => style.getPropertyValue(name).trim();
  const [text, line] = [colourOf("--text-soft"), colourOf("--line")];
  const axis = {
    stroke: text,
    grid: { stroke: line, width: 1 },
    ticks: { stroke: line, width: 1, size: 4 },
    font: "12px system-ui, sans-serif",
  };
  const rows: uPlot.Series[] = [{ label: newest.current.axis, value: (_, value) => (value === null ? "" : newest.current.formatX(value)) }];
  const bands: uPlot.Band[] = [];
  for (const { label, colour, as, low } of series) {
    const stroke = colourOf(`--series-${colour}`);
    if (low !== undefined) {
      bands.push({ series: [rows.length, rows.length + 1], fill: colourOf(`--band-${colour}`) });
      const border: uPlot.Series = { label, show: true, stroke: "transparent", width: 0, points: { show: false }, class: "hidden" };
      rows.push(border, border);
    }
    rows.push({
      ...{ label, stroke, width: as === "dots" ? 0 : 2, spanGaps: true },
      ...(as === "dashed" && { dash: [6, 4] }),
      points: as === "dots" ? { show: true, size: 8, fill: stroke } : { show: false },
      value: (_, value) => (value === null ? "" : (newest.current.formatY ?? digits)(value)),
    });
  }
  return {
    ...{ width, height, series: rows, bands },
    legend: { live: true },
    cursor: { ...(sync !== undefined && { sync: { key: sync } }), drag: { x: true, y: false, uni: 10 } },
    scales: { x: { time: false, distr: isLogX ? 3 : 1 }, y: { distr: isLogY ? 3 : 1, ...(isLogY ? {} : { range: padded }) } },
    axes: [
      { ...axis, size: 30, values: (_, splits) => splits.map((value) => (value === null ? "" : newest.current.formatX(value))) },
      {
        ...axis,
        size: 64,
        values: (_, splits, __, ___, step) => {
          const format = newest.current.formatY ?? ((value: number) => digits(value, step));
          return splits.map((value) => (value === null ? "" : format(value)));
        },
      },
    ],
    hooks: zoomHooks(newest),
  };
}

function padded(_: uPlot, least: number | null, most: number | null): uPlot.Range.MinMax {
  if (least === null || most === null) return [0, 1];
  const room = (most - least || Math.abs(most) || 1) * 0.06;
  return [least >= 0 ? Math.max(0, least - room) : least - room, most + room];
}

function zoomHooks(newest: { readonly current: ChartProps }): uPlot.Hooks.Arrays {
  return {
    setSelect: [
      (plot) => {
        const { left, width } = plot.select;
        if (width > 4) newest.current.onZoom?.([plot.posToVal(left, "x"), plot.posToVal(left + width, "x")]);
      },
    ],
    ready: [(plot) => plot.over.addEventListener("dblclick", () => newest.current.onZoom?.(undefined))],
  };
}
