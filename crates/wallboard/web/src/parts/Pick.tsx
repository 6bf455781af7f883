// A choice among a few words, with its label.
import { For, type JSX } from "solid-js";

export function Pick<T extends string>(props: {
  /** Its id, for tests. */
  id: string;
  label: string;
  value: T;
  of: readonly T[];
  name: (one: T) => string;
  choose: (one: T) => void;
}): JSX.Element {
  return (
    <label>
      {props.label}{" "}
      <select id={props.id} onChange={(event) => props.choose(event.currentTarget.value as T)}>
        <For each={props.of}>{(one) => <option value={one} selected={one === props.value}>{props.name(one)}</option>}</For>
      </select>
    </label>
  );
}
