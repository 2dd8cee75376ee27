// Talking: a chat with a model that knows how, or a text that any model goes on from.
import { useEffect, useState } from "preact/hooks";
import type { ModelFacts } from "../../../src/serve/index.ts";
import { ask } from "../api.ts";
import { useWords } from "../words.ts";
import { Chat } from "./chat.tsx";
import { Completion } from "./completion.tsx";

/** The tab. @param models the names of those that answer */
export function TalkTab({ models }: { readonly models: readonly string[] }) {
  const words = useWords();
  const [name, setName] = useState(models[0] ?? "");
  const [facts, setFacts] = useState<ModelFacts>();
  const [problem, setProblem] = useState<string>();
  const [mode, setMode] = useState<"chat" | "text">();
  useEffect(() => {
    let isCurrent = true;
    setFacts(undefined);
    setProblem(undefined);
    ask<ModelFacts>("model", { name }).then(
      (found) => isCurrent && setFacts(found),
      (error: Error) => isCurrent && setProblem(error.message),
    );
    return () => {
      isCurrent = false;
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
