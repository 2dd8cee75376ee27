// The page: its head with tabs, language and colours, and the tab that is shown.
import { useEffect, useState } from "preact/hooks";
import type { PageFacts } from "../../src/serve/index.ts";
import { ask, post, Refused } from "./api.ts";
import { LookTab } from "./look/look-tab.tsx";
import { PlanTab } from "./plan/plan-tab.tsx";
import { type Theme, useKept, usePlace, usualLanguage } from "./settings.ts";
import { StudiesTab } from "./studies/studies-tab.tsx";
import { TalkTab } from "./talk/talk-tab.tsx";
import { WatchTab } from "./watch/watch-tab.tsx";
import { type Language, languages, useWords, WordsContext } from "./words.ts";

/** The tabs in their order, what each shows, and whether the server has what it is about. */
const tabs = {
  watch: { Shown: WatchTab, isThere: ({ hasRuns }: PageFacts) => hasRuns },
  talk: { Shown: TalkTab, isThere: ({ models }: PageFacts) => models.length > 0 },
  look: { Shown: LookTab, isThere: ({ models }: PageFacts) => models.length > 0 },
  plan: { Shown: PlanTab, isThere: () => true },
  studies: { Shown: StudiesTab, isThere: ({ hasRuns }: PageFacts) => hasRuns },
} as const;
type Tab = keyof typeof tabs;
const themes = ["system", "light", "dark"] as const;

/** The whole page. */
export function App() {
  const [language, setLanguage] = useKept<Language>("language", usualLanguage(), (text): text is Language => text in languages);
  const [theme, setTheme] = useKept<Theme>("theme", "system", (text): text is Theme => (themes as readonly string[]).includes(text));
  const [place, setPlace] = usePlace();
  const isDark = useDarkness(theme);
  const { facts, problem, again } = useFacts();
  const there = (Object.keys(tabs) as Tab[]).filter((name) => facts && tabs[name].isThere(facts));
  const tab = there.find((name) => name === place) ?? there[0];
  const words = languages[language];
  useEffect(() => {
    document.documentElement.lang = language;
    document.title = words.title;
  }, [language, words]);
  const Shown = tab && tabs[tab].Shown;
  return (
    <WordsContext.Provider value={words}>
      <Head {...{ tab, there, setPlace, theme, setTheme }} onLanguage={() => setLanguage(language === "en" ? "zh" : "en")} />
      <main>
        {problem?.status === 401 && <KeyForm onKept={again} />}
        {problem !== undefined && problem.status !== 401 && <p class="message warning">{words.failed + problem.message}</p>}
        {Shown && facts && <Shown theme={isDark ? "dark" : "light"} models={facts.models} onSaved={again} />}
      </main>
    </WordsContext.Provider>
  );
}

/** What the server has; asked again once there is a key. */
function useFacts() {
  const [facts, setFacts] = useState<PageFacts>();
  const [problem, setProblem] = useState<Refused>();
  const again = () => {
    setProblem(undefined);
    ask<PageFacts>("facts").then(setFacts, (error) => setProblem(error instanceof Refused ? error : new Refused(String(error), 0)));
  };
  useEffect(again, []);
  return { facts, problem, again };
}

function KeyForm({ onKept }: { readonly onKept: () => void }) {
  const words = useWords();
  const [key, setKey] = useState("");
  const [said, setSaid] = useState("");
  const keep = () => post("key", { key }).then(onKept, (error: Error) => setSaid(error.message));
  return (
    <form
      class="card key"
      onSubmit={(event) => {
        event.preventDefault();
        void keep();
      }}
    >
      <label class="wide">
        <span>{words.apiKey}</span>
        <input type="password" autocomplete="current-password" value={key} onInput={(event) => setKey(event.currentTarget.value)} />
      </label>
      <button type="submit">{words.enter}</button>
      <span class="soft" role="alert">
        {said}
      </span>
    </form>
  );
}

/** Whether the page is dark, which the root element says to the style sheet. */
function useDarkness(theme: Theme): boolean {
  const query = "(prefers-color-scheme: dark)";
  const [isSystemDark, setSystemDark] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const changed = () => setSystemDark(list.matches);
    list.addEventListener("change", changed);
    return () => list.removeEventListener("change", changed);
  }, []);
  const isDark = theme === "system" ? isSystemDark : theme === "dark";
  document.documentElement.dataset.theme = isDark ? "dark" : "light";
  return isDark;
}

interface HeadProps {
  readonly tab: Tab | undefined;
  readonly there: readonly Tab[];
  readonly setPlace: (place: string) => void;
  readonly theme: Theme;
  readonly setTheme: (theme: Theme) => void;
  readonly onLanguage: () => void;
}

function Head({ tab, there, setPlace, theme, setTheme, onLanguage }: HeadProps) {
  const words = useWords();
  return (
    <header class="head">
      <h1>
        <img src="./icon.svg" alt="" width="28" height="28" /> cria
      </h1>
      <nav>
        {there.map((name) => (
          <a key={name} href={`#/${name}`} aria-current={name === tab ? "page" : undefined} onClick={() => setPlace(name)}>
            {words.tabs[name]}
          </a>
        ))}
      </nav>
      <div class="choices">
        <label>
          <span class="for-readers">{words.theme.label}</span>
          <select value={theme} onChange={(event) => setTheme(event.currentTarget.value as Theme)}>
            {themes.map((name) => (
              <option key={name} value={name}>
                {words.theme[name]}
              </option>
            ))}
          </select>
        </label>
        <button type="button" class="quiet" onClick={onLanguage} aria-label={words.languageLabel}>
          {words.language}
        </button>
      </div>
    </header>
  );
}
