// What columns are called, what they mean and how they are reckoned, in the language that is shown.
import type { KpiColumn } from "../gen/pegcount/v1/kpi_pb";
import { columnsEn } from "./columns-en";
import { columnsZh, formulaWordsZh } from "./columns-zh";
import { language } from ".";

interface Said {
  name: string;
  /** Empty: the server's own words. */
  meaning: string;
}

const read = (catalogue: string): Map<string, Said> =>
  new Map(
    catalogue.trim().split("\n").map((line) => {
      const [column = "", name = "", meaning = ""] = line.split("|");
      return [column, { name, meaning }];
    }),
  );

const catalogues = { en: read(columnsEn), "zh-Hans": read(columnsZh) };

/** Its name for people; tracked. A column that the page does not know yet keeps its own. */
export const columnName = (column: string): string => catalogues[language()].get(column)?.name ?? column;

/** What it counts, and the language of the words; tracked. */
export function meaning(column: KpiColumn): { words: string; lang: string } {
  const said = catalogues[language()].get(column.name)?.meaning;
  return said ? { words: said, lang: language() } : { words: column.meaning, lang: "en" };
}

/** A part of a formula: words and signs, or a column in them. */
export interface FormulaPart {
  text: string;
  /** The column that it names; undefined: none. */
  column?: string;
}

/** A formula in parts; tracked. In English columns stand in it by their own names, as everywhere else. */
export function formulaParts(formula: string): FormulaPart[] {
  const chinese = language() === "zh-Hans";
  let words = formula;
  if (chinese) for (const [english, said] of formulaWordsZh) words = words.replaceAll(english, said);
  return words.split(/\b([a-z]+(?:_[a-z0-9]+)*)\b/).flatMap((text, place): FormulaPart[] => {
    if (!text) return [];
    const known = place % 2 === 1 ? catalogues.en.get(text) : undefined;
    return [known ? { text: chinese ? columnName(text) : text, column: text } : { text }];
  });
}
