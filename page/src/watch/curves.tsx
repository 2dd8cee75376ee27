// The curves of the runs that are shown: loss, bits per byte, learning rate, gradient norm, speed.
import { useMemo, useState } from "preact/hooks";
import type { Curve, Series } from "../../../src/watch/index.ts";
import { Chart, type ChartSeries } from "../chart.tsx";
import { amount, digits, duration } from "../format.ts";
import { useWords } from "../words.ts";
import type { ShownRun, StepRange } from "./watch-tab.tsx";

type Axis = "step" | "tokens" | "seconds";

interface Settings {
  readonly axis: Axis;
  /** The share of a point that its neighbours before it make up, 0 to 0.99. */
  readonly smoothing: number;
  readonly isLogX: boolean;
  readonly isLogY: boolean;
}

interface CurvesProps {
  readonly shown: readonly ShownRun[];
  readonly theme: string;
  readonly range: StepRange;
  readonly onRange: (range: StepRange) => void;
}

/** All charts, and how they are drawn. */
export function Curves({ shown, theme, range, onRange }: CurvesProps) {
  const words = useWords();
  const [settings, setSettings] = useState<Settings>({ axis: "step", smoothing: 0, isLogX: false, isLogY: false });
  const { axis, isLogX, isLogY } = settings;
  const rows = useMemo(() => chartsOf(shown, settings, words), [shown, settings, words]);
  const zoom = (seen: readonly [number, number] | undefined) => onRange(seen && stepsAt(shown[0]?.series, axis, seen));
  const formatX = axis === "seconds" ? (value: number) => duration(value, words) : amount;
  return (
    <section class="card" aria-label={words.chartSettings}>
      <CurveSettings settings={settings} onChange={setSettings} />
      <div class="charts">
        {rows.map(({ title, series, description }) => (
          <Chart
            key={title}
            {...{ title, series, description, theme, isLogX, isLogY, formatX }}
            axis={axis === "seconds" ? words.time : words[axis]}
            sync="runs"
            onZoom={zoom}
          />
        ))}
      </div>
      <p class="soft">
        {words.zoomHelp}{" "}
        {range && (
          <button type="button" class="quiet" onClick={() => onRange(undefined)}>
            {words.resetZoom}
          </button>
        )}
      </p>
    </section>
  );
}

function CurveSettings({ settings, onChange }: { readonly settings: Settings; readonly onChange: (settings: Settings) => void }) {
  const words = useWords();
  const { axis, smoothing, isLogX, isLogY } = settings;
  return (
    <div class="settings">
      <label>
        {words.smoothing}
        <input
          type="range"
          min={0}
          max={0.98}
          step={0.02}
          value={smoothing}
          onInput={(event) => onChange({ ...settings, smoothing: event.currentTarget.valueAsNumber })}
        />
      </label>
      <label>
        {words.axis}
        <select value={axis} onChange={(event) => onChange({ ...settings, axis: event.currentTarget.value as Axis })}>
          <option value="step">{words.step}</option>
          <option value="tokens">{words.tokens}</option>
          <option value="seconds">{words.time}</option>
        </select>
      </label>
      <label>
        <input type="checkbox" checked={isLogX} onChange={() => onChange({ ...settings, isLogX: !isLogX })} />
        {words.logX}
      </label>
      <label>
        <input type="checkbox" checked={isLogY} onChange={() => onChange({ ...settings, isLogY: !isLogY })} />
        {words.logY}
      </label>
    </div>
  );
}

interface Row {
  readonly title: string;
  readonly description: string;
  readonly series: readonly ChartSeries[];
}

function chartsOf(shown: readonly ShownRun[], settings: Settings, words: ReturnType<typeof useWords>): Row[] {
  const there = shown.flatMap((one) => (one.series ? [{ ...one, series: one.series }] : []));
  const nameOf = ({ run }: ShownRun) => (shown.length === 1 ? "" : `${run.name}: `);
  const curves = (pick: (series: Series) => Curve | readonly (number | null)[], label: string) =>
    there.map((one) => curveOf(one.series, pick(one.series), { settings, label: nameOf(one) + label, colour: one.colour }));
  const dots = (pick: (row: Series["evaluations"][number]) => number, label: string) =>
    there
      .filter(({ series }) => series.evaluations.length > 0)
      .map((one): ChartSeries => {
        const x = one.series.evaluations.map(({ step }) => valueAt(one.series, step, settings.axis));
        const colour = shown.length === 1 ? 1 : one.colour;
        return { label: nameOf(one) + label, x, y: one.series.evaluations.map(pick), colour, as: "dots" };
      });
  const rows: readonly (readonly [string, readonly ChartSeries[]])[] = [
    [words.loss, [...curves(({ loss }) => loss, words.loss), ...dots(({ heldOutLoss }) => heldOutLoss, words.heldOut)]],
    [words.bitsPerByte, dots(({ bitsPerByte }) => bitsPerByte, words.bitsPerByte)],
    [words.learningRate, curves(({ learningRate }) => learningRate, words.learningRate)],
    [words.gradientNorm, curves(({ gradientNorm }) => gradientNorm, words.gradientNorm)],
    [words.speed, curves(({ tokensPerSecond }) => tokensPerSecond, words.speed)],
  ];
  return rows
    .filter(([, series]) => series.length > 0)
    .map(([title, series]) => {
      const last = series[0]?.y.at(-1);
      return { title, series, description: words.chartOf(title, last === undefined || last === null ? "–" : digits(last)) };
    });
}

function curveOf(
  series: Series,
  curve: Curve | readonly (number | null)[],
  { settings, label, colour }: { readonly settings: Settings; readonly label: string; readonly colour: number },
): ChartSeries {
  const x = series[settings.axis];
  const kept = settings.isLogX ? x.findIndex((value) => value > 0) : 0;
  const cut = <Value,>(values: readonly Value[]) => (kept > 0 ? values.slice(kept) : values);
  if (!("mean" in curve)) return { label, x: cut(x), y: cut(curve), colour, as: "line" };
  const band = settings.smoothing === 0 ? { low: cut(curve.low), high: cut(curve.high) } : {};
  return { label, x: cut(x), y: cut(smoothed(curve.mean, settings.smoothing)), colour, as: "line", ...band };
}

/** Exponential smoothing, corrected for its beginning, as in Adam (Kingma & Ba 2015, section 3). */
function smoothed(values: readonly (number | null)[], share: number): readonly (number | null)[] {
  if (share === 0) return values;
  let [sum, weight] = [0, 0];
  return values.map((value) => {
    if (value === null) return null;
    sum = share * sum + (1 - share) * value;
    weight = share * weight + (1 - share);
    return sum / weight;
  });
}

/** Where a step stands on an axis: at the first point that has reached it. */
function valueAt(series: Series, step: number, axis: Axis): number {
  if (axis === "step") return step;
  const point = series.step.findIndex((last) => last >= step);
  return series[axis][point < 0 ? series.step.length - 1 : point] ?? 0;
}

/** The steps between two values of an axis. */
function stepsAt(series: Series | undefined, axis: Axis, [from, to]: readonly [number, number]): StepRange {
  if (series === undefined) return undefined;
  if (axis === "step") return [Math.max(0, from), Math.max(0, to)];
  const inside = series.step.filter((_, i) => (series[axis][i] ?? 0) >= from && (series[axis][i] ?? 0) <= to);
  const [first, last] = [inside[0], inside.at(-1)];
  return first === undefined || last === undefined || first === last ? undefined : [first, last];
}
