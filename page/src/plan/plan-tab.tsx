// Planning: what a budget, a size or tokens come to, by the same functions that `cria plan` calls.
import { useMemo, useState } from "preact/hooks";
import {
  accelerators,
  buildReport,
  type Given,
  laws,
  llamaBatchTokens,
  lossOf,
  namedMachine,
  type PlanReport,
  trainingPrecisions,
} from "../../../src/entries/plan.ts";
import { Chart, type ChartSeries } from "../chart.tsx";
import { amount, bytes, digits, duration } from "../format.ts";
import { useWords, type Words } from "../words.ts";

const decisions = ["byBudget", "bySize", "byTokens", "bySizeAndTokens"] as const;
type Decision = (typeof decisions)[number];

/** What the sliders say. All numbers but the accelerators are powers of ten, as the sliders are. */
interface Wish {
  readonly decision: Decision;
  readonly flops: number;
  readonly parameters: number;
  readonly tokens: number;
  /** Zero stands for none. */
  readonly served: number;
  readonly board: number;
  readonly boards: number;
  readonly law: keyof typeof laws;
}

/** LLaMA-7B's budget on 64 H100. */
const first: Wish = { decision: "byBudget", flops: 22.6, parameters: 9.83, tokens: 12, served: 0, board: 0, boards: 6, law: "besiroglu" };

/** The tab. */
export function PlanTab({ theme }: { readonly theme: string }) {
  const words = useWords();
  const [wish, setWish] = useState(first);
  const report = useMemo(() => planFor(wish), [wish]);
  return (
    <div class="columns">
      <Sliders wish={wish} onChange={setWish} />
      <div class="stack">
        {report instanceof Error ? (
          <p class="message warning" role="alert">
            {words.plan.noPlan}
            {report.message}
          </p>
        ) : (
          <Told report={report} theme={theme} />
        )}
      </div>
    </div>
  );
}

function planFor(wish: Wish): PlanReport | Error {
  const board = Object.values(accelerators)[wish.board];
  if (board === undefined) return new Error("no accelerator");
  const machine = { board, gpus: 2 ** wish.boards };
  const given = givenBy(wish);
  const { flops, ...rest } = given;
  const budget = flops === undefined ? {} : { budget: { kind: "operations" as const, value: flops } };
  const served = wish.served === 0 ? {} : { served: 10 ** wish.served };
  const law = laws[wish.law];
  const common = { isPapersTokens: false, isCluster: wish.boards > 0, batchTokens: llamaBatchTokens, law };
  try {
    return buildReport({ ...budget, ...served, given: rest, machine, ...common }, namedMachine(board, machine));
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function givenBy({ decision, ...wish }: Wish): Given {
  const [flops, parameters, tokens] = [10 ** wish.flops, 10 ** wish.parameters, 10 ** wish.tokens];
  if (decision === "byBudget") return { flops };
  if (decision === "bySize") return { parameters };
  return decision === "byTokens" ? { tokens } : { parameters, tokens };
}

interface SlidersProps {
  readonly wish: Wish;
  readonly onChange: (wish: Wish) => void;
}

function Sliders({ wish, onChange }: SlidersProps) {
  const { plan: words } = useWords();
  const { decision } = wish;
  const power = (
    key: "flops" | "parameters" | "tokens" | "served",
    label: string,
    [min, max]: readonly [number, number],
    help?: string,
  ) => (
    <label class="wide" title={help}>
      <span>
        {label} <b class="figure">{wish[key] === 0 ? "0" : amount(10 ** wish[key])}</b>
      </span>
      <input
        type="range"
        {...{ min, max }}
        step={0.05}
        value={wish[key] === 0 ? min : wish[key]}
        aria-valuetext={wish[key] === 0 ? "0" : amount(10 ** wish[key])}
        onInput={(event) => {
          const value = event.currentTarget.valueAsNumber;
          onChange({ ...wish, [key]: key === "served" && value === min ? 0 : value });
        }}
      />
    </label>
  );
  return (
    <form class="card sliders" onSubmit={(event) => event.preventDefault()}>
      <h2>{words.title}</h2>
      <p class="soft">{words.help}</p>
      <label class="wide">
        <span>{words.decide}</span>
        <select value={decision} onChange={(event) => onChange({ ...wish, decision: event.currentTarget.value as Decision })}>
          {decisions.map((one) => (
            <option key={one} value={one}>
              {words[one]}
            </option>
          ))}
        </select>
      </label>
      {decision === "byBudget" && power("flops", words.operations, [14, 27])}
      {(decision === "bySize" || decision === "bySizeAndTokens") && power("parameters", words.size, [5, 12])}
      {(decision === "byTokens" || decision === "bySizeAndTokens") && power("tokens", words.trainedOn, [6, 14])}
      {power("served", words.served, [8, 15], words.servedHelp)}
      <p class="soft">{words.servedHelp}</p>
      <Machine wish={wish} onChange={onChange} />
    </form>
  );
}

function Machine({ wish, onChange }: SlidersProps) {
  const { plan: words } = useWords();
  return (
    <>
      <label class="wide">
        <span>{words.board}</span>
        <select value={wish.board} onChange={(event) => onChange({ ...wish, board: Number(event.currentTarget.value) })}>
          {Object.values(accelerators).map(({ name }, i) => (
            <option key={name} value={i}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label class="wide">
        <span>
          {words.boards} <b class="figure">{2 ** wish.boards}</b>
        </span>
        <input
          type="range"
          min={0}
          max={14}
          value={wish.boards}
          aria-valuetext={String(2 ** wish.boards)}
          onInput={(event) => onChange({ ...wish, boards: event.currentTarget.valueAsNumber })}
        />
      </label>
      <label class="wide">
        <span>{words.law}</span>
        <select value={wish.law} onChange={(event) => onChange({ ...wish, law: event.currentTarget.value as Wish["law"] })}>
          {Object.entries(laws).map(([key, { name }]) => (
            <option key={key} value={key}>
              {name}
            </option>
          ))}
        </select>
      </label>
    </>
  );
}

function Told({ report, theme }: { readonly report: PlanReport; readonly theme: string }) {
  const words = useWords();
  const notes = [...report.warnings, ...report.run.notes];
  return (
    <>
      <section class="card tiles" aria-label={words.plan.yours}>
        <dl>
          {figuresOf(report, words).map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd class={value.length > 12 ? "text" : undefined}>{value}</dd>
            </div>
          ))}
        </dl>
      </section>
      <section class="card" aria-label={words.plan.chart}>
        <Budget report={report} theme={theme} />
        <p class="soft">{words.plan.chartHelp}</p>
      </section>
      <Life report={report} />
      {notes.length > 0 && (
        <section class="card" aria-labelledby="notes">
          <h2 id="notes">{words.plan.notes}</h2>
          <ul>
            {notes.map((note) => (
              <li key={note}>{note}</li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

function figuresOf({ plan, model, run, memory, layouts }: PlanReport, words: Words): (readonly [string, string])[] {
  const { plan: said, units } = words;
  const training = memory.training.find(({ precision }) => precision === trainingPrecisions.mixed.name);
  const states = training && training.weights + training.gradients + training.optimiser;
  const layout = layouts !== undefined && !("problem" in layouts) ? layouts[0] : undefined;
  const { nLayers, dim, nHeads } = model.config;
  const [served] = memory.serving;
  return [
    [said.loss, plan.loss.toFixed(3)],
    [said.size, amount(plan.parameters)],
    [said.trainedOn, amount(plan.tokens)],
    [said.operations, amount(plan.flops)],
    [said.perParameter, digits(plan.tokens / plan.parameters)],
    [said.model, said.shape(nLayers, dim, nHeads)],
    [said.hours, duration(run.hours * 3600, words)],
    ...(run.energy === undefined ? [] : [[said.energy, `${amount(run.energy)} ${units.megawattHours}`] as const]),
    ...(run.carbon === undefined ? [] : [[said.carbon, `${amount(run.carbon)} ${units.tonnes}`] as const]),
    ...(run.cost === undefined ? [] : [[said.cost, `$${amount(run.cost)}`] as const]),
    ...(states === undefined ? [] : [[said.memory, bytes(states)] as const]),
    ...(served === undefined ? [] : [[`${said.serveMemory} (${served.precision})`, bytes(served.weights)] as const]),
    ...(layout === undefined ? [] : [[said.layout, said.layoutOf(layout.tensor, layout.pipeline, layout.data)] as const]),
  ];
}

/** Sizes of the curve, on either side of the plan's. */
const [curvePoints, decades] = [120, 1.5] as const;

/** The loss of models of every size that spend the plan's operations. */
function Budget({ report, theme }: { readonly report: PlanReport; readonly theme: string }) {
  const words = useWords();
  const series = useMemo((): ChartSeries[] => {
    const { law, plan, serving } = report;
    const optimum = report.optima.find((one) => one.law === law.name) ?? report.optima[0];
    const cheapest = serving?.cheapest;
    const sizes = Array.from({ length: curvePoints }, (_, i) => plan.parameters * 10 ** (decades * ((2 * i) / (curvePoints - 1) - 1)));
    const lossAt = (parameters: number) => lossOf(law, { parameters, tokens: plan.flops / 6 / parameters });
    const dot = (
      label: string,
      { parameters, tokens }: { readonly parameters: number; readonly tokens: number },
      colour: number,
    ): ChartSeries => ({
      ...{ label, x: [parameters], y: [lossOf(law, { parameters, tokens })], colour, as: "dots" },
    });
    return [
      { label: `${amount(plan.flops)} FLOPs`, x: sizes, y: sizes.map(lossAt), colour: 0, as: "line" },
      ...(optimum === undefined ? [] : [dot(words.plan.optimum, optimum, 2)]),
      ...(cheapest === undefined ? [] : [dot(words.plan.cheapest, cheapest, 3)]),
      dot(words.plan.yours, plan, 1),
    ];
  }, [report, words]);
  const { loss } = report.plan;
  return (
    <Chart
      title={words.plan.chart}
      description={words.chartOf(words.plan.chart, loss.toFixed(3))}
      {...{ series, theme }}
      axis={words.plan.size}
      isLogX
      isLogY={false}
      formatX={amount}
      formatY={(value) => value.toFixed(2)}
      height={300}
    />
  );
}

/** Operations over the life of the plan's model, the compute-optimal one of its loss, and the cheapest. */
function Life({ report: { serving } }: { readonly report: PlanReport }) {
  const { plan: words } = useWords();
  if (serving?.served === undefined) return null;
  const rows = [
    [words.yours, serving.yours],
    [words.optimum, serving.computeOptimal],
    ...(serving.cheapest ? [[words.cheapest, serving.cheapest] as const] : []),
  ] as const;
  return (
    <section class="card" aria-labelledby="life">
      <h2 id="life">{words.life}</h2>
      <div class="scrolled">
        <table>
          <thead>
            <tr>
              <td />
              <th scope="col">{words.size}</th>
              <th scope="col">{words.trainedOn}</th>
              <th scope="col">{words.lifeOf(words.training)}</th>
              <th scope="col">{words.lifeOf(words.serving)}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(([name, one]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                {[one.parameters, one.tokens, one.training, one.serving].map((value, i) => (
                  <td key={i}>{amount(value)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
