// What a model is made of: its sizes, how its parameters are shared between its parts, and every tensor by layer.
import { useState } from "preact/hooks";
import type { LookModel, LookTensor } from "../../../src/serve/index.ts";
import { amount, digits, whole } from "../format.ts";
import { useWords, type Words } from "../words.ts";
import { Weights } from "./weights.tsx";

type Part = keyof Words["look"]["parts"];
const parts: readonly Part[] = ["embedding", "attention", "ffn", "norms", "output"];

interface Counted extends LookTensor {
  readonly count: number;
  readonly part: Part;
  /** The layer's number; undefined outside of the layers. */
  readonly layer: number | undefined;
  /** The name inside of its layer. */
  readonly short: string;
}

/** The card of the architecture. */
export function Architecture({ name, model: { config, tensors } }: { readonly name: string; readonly model: LookModel }) {
  const { look: words } = useWords();
  const counted = tensors.map(countedOf);
  const total = sum(counted);
  const outside = counted.filter(({ layer }) => layer === undefined);
  return (
    <section class="card tiles architecture" aria-labelledby="look-architecture">
      <h2 id="look-architecture">{words.architecture}</h2>
      <Facts config={config} total={total} />
      <Shares counted={counted} total={total} />
      {config.tiedOutput && <p class="soft">{words.tied}</p>}
      <p class="soft">{words.architectureHelp}</p>
      <Group title={words.outside} tensors={outside} total={total} name={name} />
      {Array.from({ length: config.nLayers }, (_, i) => (
        <Group key={i} title={words.layer(i)} tensors={counted.filter(({ layer }) => layer === i)} total={total} name={name} />
      ))}
    </section>
  );
}

function countedOf(tensor: LookTensor): Counted {
  const [, number, inside] = /^layers\.(\d+)\.(.+)$/.exec(tensor.name) ?? [];
  const short = inside ?? tensor.name;
  const count = tensor.shape.reduce((product, size) => product * size, 1);
  return { ...tensor, count, short, layer: number === undefined ? undefined : Number(number), part: partOf(short) };
}

function partOf(short: string): Part {
  if (/norm/i.test(short)) return "norms";
  if (short.startsWith("attention.")) return "attention";
  if (short.startsWith("ffn.")) return "ffn";
  return short === "output" ? "output" : "embedding";
}

function sum(tensors: readonly Counted[]): number {
  return tensors.reduce((all, { count }) => all + count, 0);
}

function Facts({ config, total }: { readonly config: LookModel["config"]; readonly total: number }) {
  const { look: words } = useWords();
  const facts: Readonly<Record<keyof typeof words.facts, string>> = {
    parameters: amount(total),
    layers: whole(config.nLayers),
    dim: whole(config.dim),
    heads: whole(config.nHeads),
    kvHeads: whole(config.nKvHeads),
    headDim: whole(config.headDim),
    hiddenDim: whole(config.hiddenDim),
    contextLength: whole(config.contextLength),
    vocabSize: whole(config.vocabSize),
    activation: config.activation,
    norm: `${config.norm}, ${config.normPlacement}`,
    positions: config.positions,
  };
  return (
    <dl>
      {(Object.keys(facts) as (keyof typeof facts)[]).map((name) => (
        <div key={name}>
          <dt>{words.facts[name]}</dt>
          <dd class="text">{facts[name]}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A bar with a stretch per part, and the same in words. */
function Shares({ counted, total }: { readonly counted: readonly Counted[]; readonly total: number }) {
  const { look: words } = useWords();
  const shares = parts
    .map((part, colour) => ({ part, colour, count: sum(counted.filter((tensor) => tensor.part === part)) }))
    .filter(({ count }) => count > 0);
  return (
    <>
      <div class="shares" aria-hidden="true">
        {shares.map(({ part, colour, count }) => (
          <span key={part} class={`s${colour}`} style={{ flexGrow: count / total }} />
        ))}
      </div>
      <ul class="legend">
        {shares.map(({ part, colour, count }) => (
          <li key={part}>
            <span class={`swatch s${colour}`} aria-hidden="true" /> {words.parts[part]} {digits((100 * count) / total)} % · {amount(count)}
          </li>
        ))}
      </ul>
    </>
  );
}

interface GroupProps {
  readonly title: string;
  readonly tensors: readonly Counted[];
  readonly total: number;
  /** The model's name. */
  readonly name: string;
}

function Group({ title, tensors, total, name: model }: GroupProps) {
  const words = useWords();
  const [chosen, setChosen] = useState<string>();
  return (
    <details>
      <summary>
        {title} <span class="soft">{`${amount(sum(tensors))} · ${digits((100 * sum(tensors)) / total)} %`}</span>
      </summary>
      <table>
        <thead>
          <tr>
            {[words.look.tensor, words.look.shape, words.parameters, words.look.share].map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {tensors.map(({ name, short, shape, count }) => (
            <tr key={name}>
              <th scope="row">
                <button
                  type="button"
                  class="quiet tensor"
                  aria-pressed={name === chosen}
                  onClick={() => setChosen(name === chosen ? undefined : name)}
                >
                  {short}
                </button>
              </th>
              <td>{shape.map(whole).join(" × ")}</td>
              <td>{whole(count)}</td>
              <td>{digits((100 * count) / total)}&nbsp;%</td>
            </tr>
          ))}
        </tbody>
      </table>
      {chosen !== undefined && <Weights key={chosen} name={model} tensor={chosen} />}
    </details>
  );
}
