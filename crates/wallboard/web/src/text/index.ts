// The language that is shown, and what it says.
import { createSignal } from "solid-js";
import { en, type Text } from "./en";
import { zh } from "./zh";

/** All languages, by their BCP 47 tag. */
export const languages = { en, "zh-Hans": zh } satisfies Record<string, Text>;
export type Language = keyof typeof languages;

const KEY = "pegcount-language";

function preferred(): Language {
  const kept = localStorage.getItem(KEY);
  if (kept && kept in languages) return kept as Language;
  return navigator.languages.some((tag) => tag.toLowerCase().startsWith("zh")) ? "zh-Hans" : "en";
}

const [language, setLanguage] = createSignal<Language>(preferred());
export { language };

/** Shows another language, here and at the next visit. */
export function choose(next: Language): void {
  localStorage.setItem(KEY, next);
  setLanguage(next);
}

/** What the page says in the language that is shown. */
export const t = (): Text => languages[language()];
