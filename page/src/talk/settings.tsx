// How tokens are drawn, and what a text must keep to.
import { useWords, type Words } from "../words.ts";

/** What a person has set, as texts: an empty one leaves the choice to the model. */
export interface Sampling {
  readonly temperature: string;
  readonly top_p: string;
  readonly top_k: string;
  readonly min_p: string;
  readonly typical_p: string;
  readonly repetition_penalty: string;
  readonly presence_penalty: string;
  readonly frequency_penalty: string;
  readonly seed: string;
  readonly max_tokens: string;
  readonly stop: string;
  readonly schema: string;
  readonly grammar: string;
}

const numbers = {
  temperature: [0, 2, 0.05],
  top_p: [0, 1, 0.01],
  top_k: [0, 1000, 1],
  min_p: [0, 1, 0.01],
  typical_p: [0, 1, 0.01],
  repetition_penalty: [0, 3, 0.05],
  presence_penalty: [-2, 2, 0.1],
  frequency_penalty: [-2, 2, 0.1],
  seed: [0, 2 ** 31, 1],
  max_tokens: [1, 1e6, 1],
} as const satisfies Partial<Record<keyof Sampling, readonly [number, number, number]>>;
type NumberName = keyof typeof numbers;

/** Nothing set. */
export const noSampling: Sampling = {
  ...{ temperature: "", top_p: "", top_k: "", min_p: "", typical_p: "", repetition_penalty: "", presence_penalty: "" },
  ...{ frequency_penalty: "", seed: "", max_tokens: "", stop: "", schema: "", grammar: "" },
};

/** The keys of a request's body. @throws Error where the schema is no JSON */
export function samplingBody(sampling: Sampling, { talk: words }: Words): Record<string, unknown> {
  const set = (Object.keys(numbers) as NumberName[]).filter((name) => sampling[name] !== "");
  const stop = sampling.stop.split("\n").filter((line) => line !== "");
  return {
    ...Object.fromEntries(set.map((name) => [name, Number(sampling[name])])),
    ...(stop.length > 0 && { stop }),
    ...(sampling.grammar.trim() !== "" && { grammar: sampling.grammar }),
    ...(sampling.schema.trim() !== "" && {
      response_format: {
        type: "json_schema",
        json_schema: { name: "answer", strict: true, schema: schemaOf(sampling.schema, words.schemaProblem) },
      },
    }),
  };
}

function schemaOf(text: string, problem: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(problem + (cause as Error).message, { cause });
  }
}

interface SettingsProps {
  readonly sampling: Sampling;
  readonly onChange: (sampling: Sampling) => void;
  /** Only a chat has a form of its answer. */
  readonly hasSchema: boolean;
}

/** The fields. */
export function SamplingSettings({ sampling, onChange, hasSchema }: SettingsProps) {
  const { talk: words } = useWords();
  const area = (name: "stop" | "schema" | "grammar", label: string, placeholder: string) => (
    <label class="wide">
      <span>{label}</span>
      <textarea
        rows={name === "stop" ? 1 : 3}
        spellcheck={false}
        placeholder={placeholder}
        value={sampling[name]}
        onInput={(event) => onChange({ ...sampling, [name]: event.currentTarget.value })}
      />
    </label>
  );
  return (
    <details class="sampling">
      <summary>{words.sampling}</summary>
      <p class="soft">{words.samplingHelp}</p>
      <div class="numbers">
        {(Object.entries(numbers) as [NumberName, readonly [number, number, number]][]).map(([name, [min, max, step]]) => (
          <label key={name}>
            <span>{words.samplers[name]}</span>
            <input
              type="number"
              {...{ min, max, step }}
              value={sampling[name]}
              onInput={(event) => onChange({ ...sampling, [name]: event.currentTarget.value })}
            />
          </label>
        ))}
      </div>
      {area("stop", words.stop, "")}
      {hasSchema && area("schema", words.schema, '{ "type": "object", … }')}
      {area("grammar", words.grammar, 'root ::= "yes" | "no"')}
    </details>
  );
}
