// The page: its head with tabs, language and colours, and the tab that is shown.
import { useEffect, useState } from "preact/hooks";
import { PlanTab } from "./plan/plan-tab.tsx";
import { type Theme, useKept, usePlace, usualLanguage } from "./settings.ts";
import { StudiesTab } from "./studies/studies-tab.tsx";
import { WatchTab } from "./watch/watch-tab.tsx";
import { type Language, languages, useWords, WordsContext } from "./words.ts";

/** The tabs in their order, and what each shows. */
const tabs = { watch: WatchTab, plan: PlanTab, studies: StudiesTab } as const;
type Tab = keyof typeof tabs;
const themes = ["system", "light", "dark"] as const;

/** The whole page. */
export function App() {
  const [language, setLanguage] = useKept<Language>("language", usualLanguage(), (text): text is Language => text in languages);
  const [theme, setTheme] = useKept<Theme>("theme", "system", (text): text is Theme => (themes as readonly string[]).includes(text));
  const [place, setPlace] = usePlace();
  const isDark = useDarkness(theme);
  const tab = place in tabs ? (place as Tab) : "watch";
  const words = languages[language];
  useEffect(() => {
    document.documentElement.lang = language;
    document.title = words.title;
  }, [language, words]);
  const Shown = tabs[tab];
  return (
    <WordsContext.Provider value={words}>
      <Head {...{ tab, setPlace, theme, setTheme }} onLanguage={() => setLanguage(language === "en" ? "zh" : "en")} />
      <main id={`tab-${tab}`}>
        <Shown theme={isDark ? "dark" : "light"} />
      </main>
    </WordsContext.Provider>
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
  readonly tab: Tab;
  readonly setPlace: (place: string) => void;
  readonly theme: Theme;
  readonly setTheme: (theme: Theme) => void;
  readonly onLanguage: () => void;
}

function Head({ tab, setPlace, theme, setTheme, onLanguage }: HeadProps) {
  const words = useWords();
  return (
    <header class="head">
      <h1>
        <img src="./icon.svg" alt="" width="28" height="28" /> cria
      </h1>
      <nav>
        {(Object.keys(tabs) as Tab[]).map((name) => (
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
