// How the numbers of a tensor are spread, and what a layout of fewer bits would change of them.
import { useState } from "preact/hooks";
import type { LookHistogram, LookWeights } from "../../../src/serve/index.ts";
import { post, useAnswer } from "../api.ts";
import { digits, whole } from "../format.ts";
import { useWords } from "../words.ts";

const layouts = ["q8_0", "q6_K", "q5_K", "q5_0", "q4_K", "q4_0", "bf16", "f16"] as const;
const [width, height] = [320, 90];

/** The card of a tensor. @param name the model's */
export function Weights({ name, tensor }: { readonly name: string; readonly tensor: string }) {
  const { look: words, failed, loading } = useWords();
  const [type, setType] = useState("");
  const asked = { model: name, tensor, ...(type !== "" && { type }) };
  const { answer, problem } = useAnswer(JSON.stringify(asked), (signal) => post<LookWeights>("weights", asked, signal));
  return (
    <section class="weights" aria-label={tensor}>
      <h3>{tensor}</h3>
      <label class="wide">
        <span>{words.quantisation}</span>
        <select value={type} onChange={(event) => setType(event.currentTarget.value)}>
          <option value="">{words.noLayout}</option>
          {layouts.map((layout) => (
            <option key={layout}>{layout}</option>
          ))}
        </select>
      </label>
      {problem !== undefined && (
        <p class="message warning" role="alert">
          {failed + problem}
        </p>
      )}
      {answer === undefined && problem === undefined && <p class="soft">{loading}</p>}
      {answer && <Told answer={answer} />}
    </section>
  );
}

function Told({ answer: { mean, deviation, zeros, histogram, quantised } }: { readonly answer: LookWeights }) {
  const { look: words } = useWords();
  return (
    <>
      <p class="soft">{words.spread(digits(mean), digits(deviation), digits(100 * zeros))}</p>
      <Bars histogram={histogram} label={words.histogram} />
      {quantised && (
        <>
          <p class="soft">{words.quantised(digits(100 * quantised.error), whole(quantised.compared))}</p>
          <Bars histogram={quantised.histogram} label={words.errors} />
        </>
      )}
    </>
  );
}

/** Bars as high as the root of their counts, so that the tails are seen. */
function Bars({ histogram: { from, to, counts }, label }: { readonly histogram: LookHistogram; readonly label: string }) {
  const { look: words } = useWords();
  const most = Math.max(1, ...counts);
  const step = width / counts.length;
  return (
    <svg viewBox={`0 0 ${width} ${height + 16}`} role="img" aria-label={words.range(label, digits(from), digits(to))}>
      {counts.map((count, i) => {
        const high = height * Math.sqrt(count / most);
        return <rect key={i} x={i * step} y={height - high} width={step - 0.5} height={high} />;
      })}
      <text x={0} y={height + 13}>
        {digits(from)}
      </text>
      <text x={width} y={height + 13} text-anchor="end">
        {digits(to)}
      </text>
    </svg>
  );
}
