// What a chart shows, as plain data: it goes into a report's JSON as it is, and is drawn by `chartSvg`.

/** An axis of a chart. */
export interface Axis {
  readonly label: string;
  readonly scale?: "linear" | "log";
  /** What the axis shows; all of the data by default. Data outside is cut off. */
  readonly domain?: readonly [number, number];
  /** Where the axis is marked; where it falls out well by default. */
  readonly ticks?: readonly number[];
}

/** A point; not drawn where a number is not finite, or not above 0 on a logarithmic axis. */
export interface Point {
  readonly x: number;
  readonly y: number;
  /** The spread around `y`: a band along a line, a bar at a dot. */
  readonly low?: number;
  readonly high?: number;
  /** Written beside the point. */
  readonly label?: string;
}

/** A curve or a set of dots with its name. */
export interface Series {
  /** Empty where the legend needs no entry. Labelled lines of one group share an entry, by the group's name: their labels tell them apart. */
  readonly name: string;
  /** Rings are seen around dots at the same place. */
  readonly as: "line" | "dashed" | "dots" | "rings";
  /** What dots are where they are drawn in characters; one by their order by default. */
  readonly character?: string;
  readonly points: readonly Point[];
  /** Series of one group share a colour; every series is its own group by default. */
  readonly group?: string;
}

/** Curves and dots over two axes. */
export interface LineChart {
  readonly kind: "lines";
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
  /** A place on the x axis to look at. */
  readonly mark?: { readonly x: number; readonly label: string };
}

/** One row per name: every value as a dot, their mean as a tick. */
export interface RangeChart {
  readonly kind: "ranges";
  readonly title: string;
  readonly x: Axis;
  readonly rows: readonly { readonly name: string; readonly values: readonly number[] }[];
}

/** Cells coloured by value; row 0 on top, column 0 on the left. */
export interface HeatChart {
  readonly kind: "heat";
  readonly title: string;
  /** The names of the columns and of the rows. */
  readonly x: string;
  readonly y: string;
  readonly value: string;
  readonly rows: readonly (readonly number[])[];
}

/** A chart of any kind. */
export type Chart = LineChart | RangeChart | HeatChart;
