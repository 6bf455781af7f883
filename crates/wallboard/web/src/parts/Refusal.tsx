// A refusal, kindly: what this role may not see, and what to do.
import { Show, type JSX } from "solid-js";
import { t } from "../text";

export function Refusal(props: { kind: string; words?: string }): JSX.Element {
  return (
    <section class="note" role="alert">
      <p>{props.kind}</p>
      <Show when={props.words}>
        <p>
          <q lang="en">{props.words}</q>
        </p>
      </Show>
    </section>
  );
}

export const refused = (): string => t().may.refused;
