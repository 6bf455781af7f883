// A formula in words, in which each figure is a link to its own explanation over the same range.
import { For, type JSX } from "solid-js";
import { link, route } from "../frame/route";
import { language } from "../text";
import { columnName, formulaParts } from "../text/columns";

/** The explanation of another column over what is explained at the moment. */
export function otherColumn(column: string): string {
  const { site, what } = route();
  const other = new URLSearchParams(what);
  other.set("column", column);
  return link(site, "explain", other);
}

export function FormulaText(props: { name: string; formula: string }): JSX.Element {
  return (
    <code lang={language()}>
      {language() === "en" ? props.name : columnName(props.name)} ={" "}
      <For each={formulaParts(props.formula)}>
        {(part) => (part.column ? <a href={otherColumn(part.column)} data-measure={part.column}>{part.text}</a> : part.text)}
      </For>
    </code>
  );
}
