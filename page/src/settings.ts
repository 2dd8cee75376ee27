// What a person has chosen and finds again: language, colours, and where the page was. All of it stays in this browser.
import { type Dispatch, type StateUpdater, useEffect, useState } from "preact/hooks";
import type { Language } from "./words.ts";

/** Colours: those of the system, or always the same. */
export type Theme = "system" | "light" | "dark";

/** A choice that is kept; what cannot be kept, as in a private window, holds until the page is closed. */
export function useKept<Value extends string>(
  key: string,
  first: Value,
  isValue: (text: string) => text is Value,
): [Value, (value: Value) => void] {
  const [value, setValue] = useState<Value>(() => {
    const kept = read(key);
    return kept !== null && isValue(kept) ? kept : first;
  });
  const keep = (next: Value) => {
    setValue(next);
    try {
      localStorage.setItem(`cria.${key}`, next);
    } catch {
      // It holds until the page is closed.
    }
  };
  return [value, keep];
}

function read(key: string): string | null {
  try {
    return localStorage.getItem(`cria.${key}`);
  } catch {
    return null;
  }
}

const held = new Map<string, unknown>();

/** A state under a name, which stays until the page is closed while what shows it comes and goes. */
export function useHeld<Value>(key: string, first: Value): [Value, Dispatch<StateUpdater<Value>>] {
  const [value, setValue] = useState<Value>(() => (held.has(key) ? (held.get(key) as Value) : first));
  held.set(key, value);
  return [value, setValue];
}

/** The language of the browser, where the page speaks it. */
export function usualLanguage(): Language {
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

/** The part of the address behind #, which says what is shown, and a way to change it. */
export function usePlace(): [string, (place: string) => void] {
  const now = () => location.hash.replace(/^#\/?/, "");
  const [place, setPlace] = useState(now);
  useEffect(() => {
    const moved = () => setPlace(now());
    addEventListener("hashchange", moved);
    return () => removeEventListener("hashchange", moved);
  }, []);
  return [
    place,
    (next) => {
      location.hash = `/${next}`;
    },
  ];
}
