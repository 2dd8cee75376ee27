// Looking inside a model: a text as pieces, and what the model is made of.
import { useState } from "preact/hooks";
import type { LookModel } from "../../../src/serve/index.ts";
import { ask, useAnswer } from "../api.ts";
import { useWords } from "../words.ts";
import { Architecture } from "./architecture.tsx";
import { Pieces } from "./pieces.tsx";
import "./look.css";

/** The tab. @param models the names of those that answer */
export function LookTab({ models }: { readonly models: readonly string[] }) {
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
      <Model key={name} name={name} />
    </div>
  );
}

function Model({ name }: { readonly name: string }) {
  const words = useWords();
  const { answer: model, problem } = useAnswer(name, () => ask<LookModel>("architecture", { name }));
  if (problem !== undefined) return <p class="message warning">{words.failed + problem}</p>;
  if (model === undefined) return <p class="message">{words.look.opening}</p>;
  return (
    <>
      <Pieces name={name} />
      <Architecture model={model} />
    </>
  );
}
