// Talking: a chat with a model that knows how, or a text that any model goes on from.
import { useEffect, useState } from "preact/hooks";
import type { ModelFacts } from "../../../src/serve/index.ts";
import { ask, Refused } from "../api.ts";
import { useWords } from "../words.ts";
import { Chat } from "./chat.tsx";
import { Completion } from "./completion.tsx";

/** Milliseconds after which one asks again for a model that does not answer yet, as one that is being trained. */
const againMs = 5000;

/** The tab. @param models the names of those that answer */
export function TalkTab({ models }: { readonly models: readonly string[] }) {
  const words = useWords();
  const [name, setName] = useState(models[0] ?? "");
  const [facts, setFacts] = useState<ModelFacts>();
  const [problem, setProblem] = useState<string>();
  const [mode, setMode] = useState<"chat" | "text">();
  useEffect(() => {
    let isCurrent = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const say = (found: ModelFacts | undefined, told: string | undefined) => {
      setFacts(found);
      setProblem(told);
    };
    const look = () =>
      ask<ModelFacts>("model", { name }).then(
        (found) => isCurrent && say(found, undefined),
        (error: Error) => {
          if (!isCurrent) return;
          say(undefined, error.message);
          if (error instanceof Refused && error.status === 503) timer = setTimeout(look, againMs);
        },
      );
    say(undefined, undefined);
    void look();
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [name]);
  const shown = mode ?? (facts?.hasTemplate ? "chat" : "text");
  return (
    <div class="talk">
      <div class="settings">
        <label>
          {words.talk.model}
          <select value={name} onChange={(event) => setName(event.currentTarget.value)}>
            {models.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
        {facts?.hasTemplate && (
          <label>
            {words.talk.mode}
            <select value={shown} onChange={(event) => setMode(event.currentTarget.value as "chat" | "text")}>
              <option value="chat">{words.talk.chat}</option>
              <option value="text">{words.talk.text}</option>
            </select>
          </label>
        )}
        {facts && !facts.hasTemplate && <span>{words.talk.base}</span>}
      </div>
      {problem !== undefined && <p class="message warning">{words.failed + problem}</p>}
      {facts === undefined && problem === undefined && <p class="message">{words.talk.opening}</p>}
      {facts && shown === "chat" && facts.hasTemplate && <Chat key={name} facts={facts} />}
      {facts && (shown === "text" || !facts.hasTemplate) && <Completion key={name} facts={facts} />}
    </div>
  );
}
