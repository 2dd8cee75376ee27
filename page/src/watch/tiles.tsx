// How the first run stands, in large figures, and the buttons that ask something of it.
import { useState } from "preact/hooks";
import type { RunSummary } from "../../../src/watch/index.ts";
import { post, Refused } from "../api.ts";
import { amount, bytes, digits, duration, whole } from "../format.ts";
import { useWords } from "../words.ts";

/** Figures and buttons of a run. */
export function Tiles({ run }: { readonly run: RunSummary }) {
  const words = useWords();
  const { step, steps, tokens, loss, bitsPerByte, tokensPerSecond, eta, parameters, machine } = run;
  const isLive = run.state === "training" || run.state === "paused";
  const figures: readonly (readonly [string, string | undefined, (string | undefined)?])[] = [
    [words.loss, loss?.toFixed(3), words.lossHelp],
    [words.bitsPerByte, bitsPerByte?.toFixed(3), words.bitsPerByteHelp],
    [words.speed, isLive && tokensPerSecond !== undefined ? amount(tokensPerSecond) : undefined],
    [words.share, isLive ? shareOf(run) : undefined, words.shareHelp],
    [words.memory, machine === undefined ? undefined : bytes(machine.memory), machine?.backend],
    [words.timeLeft, eta === undefined ? undefined : duration(eta, words)],
    [words.parameters, amount(parameters)],
    [words.tokens, amount(tokens)],
  ];
  return (
    <section class="card tiles" aria-label={run.name}>
      <div class="title">
        <h2>{run.name}</h2>
        <span class={`state ${run.state}`}>{words.states[run.state]}</span>
      </div>
      <div class="bar">
        <progress max={Math.max(1, steps)} value={step} aria-label={words.progress} />
        <span>
          {words.step} {words.of(whole(step), whole(steps))} · {digits((100 * step) / Math.max(1, steps))} %
        </span>
      </div>
      <dl>
        {figures.map(([name, value, help]) => (
          <div key={name} title={help}>
            <dt>{name}</dt>
            <dd>{value ?? "–"}</dd>
          </div>
        ))}
      </dl>
      <Buttons run={run} />
    </section>
  );
}

/** The share of a large matrix product's speed that training's matrix work reaches. */
function shareOf({ machine, tokensPerSecond }: RunSummary): string | undefined {
  if (machine?.matmulRate === undefined || tokensPerSecond === undefined) return undefined;
  return `${digits((100 * machine.flopsPerToken * tokensPerSecond) / machine.matmulRate)} %`;
}

function Buttons({ run: { id, state, hasSamples } }: { readonly run: RunSummary }) {
  const words = useWords();
  const [said, setSaid] = useState("");
  const isLive = state === "training" || state === "paused";
  const send = async (request: string, isAsked = true) => {
    try {
      await post("requests", { run: id, request, isAsked });
      setSaid(words.asked);
    } catch (error) {
      setSaid(words.failed + (error instanceof Refused ? error.message : words.lost));
    }
  };
  return (
    <div class="buttons">
      <button type="button" disabled={!isLive} onClick={() => send("pause", state !== "paused")}>
        {state === "paused" ? words.resume : words.pause}
      </button>
      <button type="button" disabled={!isLive} onClick={() => send("stop")}>
        {words.stop}
      </button>
      <button
        type="button"
        disabled={!isLive || !hasSamples}
        title={hasSamples ? undefined : words.noPrompts}
        onClick={() => send("samples")}
      >
        {words.sampleNow}
      </button>
      <span class="soft" role="status">
        {isLive ? said : words.notTraining}
      </span>
    </div>
  );
}
