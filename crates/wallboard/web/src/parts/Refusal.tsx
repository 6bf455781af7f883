// A refusal, kindly: what this role may not see, and what to do. What has no past is no refusal: it says so alone.
import { Show, type JSX } from "solid-js";
import { known } from "../live/known";
import { t } from "../text";

export function Refusal(props: { kind: string; words?: string }): JSX.Element {
  const noPast = () => known() !== null && props.words === t().travel.noPast;
  return (
    <Show when={!noPast()} fallback={<p class="note">{t().travel.noPast}</p>}>
      <Refused {...props} />
    </Show>
  );
}

function Refused(props: { kind: string; words?: string }): JSX.Element {
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
