// A chat: messages in branches, an answer as it comes, and what it cost.
import { useEffect, useRef, useState } from "preact/hooks";
import type { ModelFacts } from "../../../src/serve/index.ts";
import { digits, whole } from "../format.ts";
import { useHeld } from "../settings.ts";
import { useWords } from "../words.ts";
import {
  besides,
  branchOf,
  type Conversation,
  emptyConversation,
  exported,
  goTo,
  grow,
  imported,
  messagesOf,
  type Said,
  say,
  withoutEmpty,
} from "./conversation.ts";
import { noSampling, type Sampling, SamplingSettings, samplingBody } from "./settings.tsx";
import { streamed, type Usage } from "./stream.ts";

interface Spent {
  readonly usage: Usage;
  readonly seconds: number;
  /** Whether it ended because it had as many tokens as it may have. */
  readonly isCut: boolean;
}

/** A chat with a model. */
export function Chat({ facts }: { readonly facts: ModelFacts }) {
  const words = useWords();
  const [conversation, setConversation] = useHeld(`conversation ${facts.name}`, emptyConversation);
  const [sampling, setSampling] = useHeld<Sampling>(`sampling ${facts.name}`, noSampling);
  const [draft, setDraft] = useHeld(`draft ${facts.name}`, "");
  const { write, stop, leave, isWriting, spent, problem, setProblem } = useWriting(facts, sampling, setConversation);
  const branch = branchOf(conversation);
  const send = () => {
    if (draft.trim() === "" || isWriting) return;
    void write(say(conversation, conversation.last, { role: "user", text: draft }));
    setDraft("");
  };
  return (
    <div class="columns">
      <div class="card side">
        <label class="wide">
          <span>{words.talk.system}</span>
          <textarea
            rows={3}
            value={conversation.system}
            onInput={({ currentTarget: { value: system } }) => setConversation((now) => ({ ...now, system }))}
          />
        </label>
        <SamplingSettings sampling={sampling} onChange={setSampling} hasSchema />
        <Files
          conversation={conversation}
          onImport={(imported) => {
            leave();
            setConversation(imported);
          }}
          onProblem={setProblem}
        />
      </div>
      <section class="card chat" aria-label={words.talk.chat}>
        <div class="log" role="log" aria-live="polite" aria-busy={isWriting}>
          {branch.length === 0 && <p class="soft">{words.talk.begin}</p>}
          {branch.map((one) => (
            <Message
              key={one.id}
              {...{ one, conversation, isWriting }}
              onGo={(id) => setConversation(goTo(conversation, id))}
              onAgain={() => void write({ ...conversation, last: one.role === "user" ? one.id : one.parent })}
              onEdit={(text) => void write(say(conversation, one.parent, { role: "user", text }))}
            />
          ))}
        </div>
        {problem !== "" && (
          <p class="message warning" role="alert">
            {words.failed + problem}
          </p>
        )}
        <Composer {...{ draft, setDraft, send, stop, isWriting }} />
        {spent && <Cost spent={spent} contextLength={facts.contextLength} />}
      </section>
    </div>
  );
}

/** Writing an answer behind a conversation; stopping it, and leaving it for another conversation. */
function useWriting(facts: ModelFacts, sampling: Sampling, setConversation: (change: (before: Conversation) => Conversation) => void) {
  const words = useWords();
  const [isWriting, setWriting] = useState(false);
  const [spent, setSpent] = useState<Spent>();
  const [problem, setProblem] = useState("");
  const controller = useRef<AbortController | null>(null);
  useEffect(() => {
    setConversation((now) => withoutEmpty(now, now.last)); // the tab was left before an answer began
    return () => controller.current?.abort();
  }, []);
  const leave = () => {
    controller.current?.abort();
    controller.current = null;
    setWriting(false);
  };
  const write = async (asked: Conversation) => {
    leave();
    const own = new AbortController();
    controller.current = own;
    const began = performance.now();
    const begun = say(asked, asked.last, { role: "assistant", text: "" });
    const id = begun.last ?? 0;
    let isCut = false;
    setConversation(() => begun);
    setWriting(true);
    setProblem("");
    try {
      const body = { model: facts.name, messages: messagesOf(asked), ...samplingBody(sampling, words) };
      for await (const { choices, usage } of streamed("v1/chat/completions", body, own.signal)) {
        if (controller.current !== own) return;
        const { delta: { content, reasoning_content: reasoning } = {}, finish_reason: reason } = choices[0] ?? {};
        if (content || reasoning)
          setConversation((now) => grow(now, id, { ...(content && { text: content }), ...(reasoning !== undefined && { reasoning }) }));
        isCut ||= reason === "length";
        if (usage) setSpent({ usage, seconds: (performance.now() - began) / 1000, isCut });
      }
    } catch (error) {
      if (controller.current !== own) return;
      setConversation((now) => withoutEmpty(now, id));
      if (!own.signal.aborted) setProblem(error instanceof Error ? error.message : String(error));
    } finally {
      if (controller.current === own) setWriting(false);
    }
  };
  return { write, stop: () => controller.current?.abort(), leave, isWriting, spent, problem, setProblem };
}

interface MessageProps {
  readonly one: Said;
  readonly conversation: Conversation;
  readonly isWriting: boolean;
  readonly onGo: (id: number) => void;
  readonly onAgain: () => void;
  readonly onEdit: (text: string) => void;
}

function Message({ one, conversation, isWriting, onGo, onAgain, onEdit }: MessageProps) {
  const { talk: words } = useWords();
  const [edited, setEdited] = useState<string>();
  const all = besides(conversation, one);
  const place = all.findIndex(({ id }) => id === one.id);
  const go = (by: number) => onGo(all[place + by]?.id ?? one.id);
  return (
    <article class={`said ${one.role}`} aria-label={words.roles[one.role]}>
      {one.reasoning !== undefined && (
        <details>
          <summary>{words.reasoning}</summary>
          <p>{one.reasoning}</p>
        </details>
      )}
      {edited === undefined ? (
        <p>{one.text}</p>
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            onEdit(edited);
            setEdited(undefined);
          }}
        >
          <textarea rows={3} aria-label={words.edit} value={edited} onInput={(event) => setEdited(event.currentTarget.value)} />
          <button type="submit">{words.send}</button>
          <button type="button" class="quiet" onClick={() => setEdited(undefined)}>
            {words.leave}
          </button>
        </form>
      )}
      <div class="acts">
        {all.length > 1 && (
          <span>
            <button type="button" class="quiet" disabled={place === 0 || isWriting} aria-label={words.before} onClick={() => go(-1)}>
              ‹
            </button>
            {words.branch(place + 1, all.length)}
            <button
              type="button"
              class="quiet"
              disabled={place === all.length - 1 || isWriting}
              aria-label={words.behind}
              onClick={() => go(1)}
            >
              ›
            </button>
          </span>
        )}
        {(one.role === "assistant" || one.id === conversation.last) && (
          <button type="button" class="quiet" disabled={isWriting} onClick={onAgain}>
            {words.again}
          </button>
        )}
        {one.role === "user" && edited === undefined && (
          <button type="button" class="quiet" disabled={isWriting} onClick={() => setEdited(one.text)}>
            {words.edit}
          </button>
        )}
      </div>
    </article>
  );
}

interface ComposerProps {
  readonly draft: string;
  readonly setDraft: (draft: string) => void;
  readonly send: () => void;
  readonly stop: () => void;
  readonly isWriting: boolean;
}

function Composer({ draft, setDraft, send, stop, isWriting }: ComposerProps) {
  const { talk: words } = useWords();
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <textarea
        rows={2}
        aria-label={words.message}
        placeholder={words.messageHelp}
        value={draft}
        onInput={(event) => setDraft(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          send();
        }}
      />
      {isWriting ? (
        <button type="button" onClick={stop}>
          {words.stopWriting}
        </button>
      ) : (
        <button type="submit" disabled={draft.trim() === ""}>
          {words.send}
        </button>
      )}
    </form>
  );
}

function Cost({ spent: { usage, seconds, isCut }, contextLength }: { readonly spent: Spent; readonly contextLength: number }) {
  const { talk: words } = useWords();
  const used = usage.prompt_tokens + usage.completion_tokens;
  return (
    <p class="soft">
      {words.cost(digits(usage.completion_tokens / seconds), whole(used), whole(contextLength))}{" "}
      <meter min={0} max={contextLength} value={used} aria-label={words.context} /> {isCut && words.cut}
    </p>
  );
}

interface FilesProps {
  readonly conversation: Conversation;
  readonly onImport: (conversation: Conversation) => void;
  readonly onProblem: (problem: string) => void;
}

/** A conversation to a file and back. */
function Files({ conversation, onImport, onProblem }: FilesProps) {
  const { talk: words } = useWords();
  const save = () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([exported(conversation)], { type: "application/json" }));
    link.download = "conversation.json";
    link.click();
    URL.revokeObjectURL(link.href);
  };
  const read = async (file: File | undefined) => {
    if (file === undefined) return;
    try {
      onImport(imported(await file.text()));
      onProblem("");
    } catch (error) {
      onProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <div class="buttons">
      <button type="button" onClick={() => onImport(emptyConversation)}>
        {words.anew}
      </button>
      <button type="button" onClick={save}>
        {words.save}
      </button>
      <label class="button">
        {words.open}
        <input
          type="file"
          accept="application/json,.json"
          onChange={(event) => {
            const { currentTarget } = event;
            void read(currentTarget.files?.[0]).finally(() => {
              currentTarget.value = "";
            });
          }}
        />
      </label>
    </div>
  );
}
