// Looking inside a model: a text as pieces, what its tokens attend to, and what the model is made of.
import { useState } from "preact/hooks";
import type { LookModel } from "../../../src/serve/index.ts";
import { ask, useAnswer } from "../api.ts";
import { useWords } from "../words.ts";
import { Architecture } from "./architecture.tsx";
import { Attention } from "./attention.tsx";
import { Pieces } from "./pieces.tsx";
import "./look.css";

/** The tab. @param models the names of those that answer */
export function LookTab({ models, theme }: { readonly models: readonly string[]; readonly theme: string }) {
  const { look: words } = useWords();
  const [name, setName] = useState(models[0] ?? "");
  return (
    <div class="stack">
      <div class="settings">
        <label>
          {words.model}
          <select value={name} onChange={(event) => setName(event.currentTarget.value)}>
            {models.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
      </div>
      <Model key={name} name={name} theme={theme} />
    </div>
  );
}

function Model({ name, theme }: { readonly name: string; readonly theme: string }) {
  const words = useWords();
  const { answer: model, problem } = useAnswer(name, () => ask<LookModel>("architecture", { name }));
  if (problem !== undefined) return <p class="message warning">{words.failed + problem}</p>;
  if (model === undefined) return <p class="message">{words.look.opening}</p>;
  return (
    <>
      <Pieces name={name} />
      <Attention name={name} layers={model.config.nLayers} theme={theme} />
      <Architecture name={name} model={model} />
    </>
  );
}
