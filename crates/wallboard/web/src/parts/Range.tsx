// Which days: by a name, or from one date to another. What is chosen stands in the address.
import { Show, type JSX } from "solid-js";
import { RANGES, period, type RangeName } from "../figures/periods";
import { addDays } from "../figures/zone";
import { usePlace } from "../frame/site";
import { t } from "../text";
import { Pick } from "./Pick";

export function RangePick(props: {
  range: RangeName;
  from: string;
  to: string;
  of?: readonly RangeName[];
  choose: (what: Record<string, string>) => void;
}): JSX.Element {
  const { today } = usePlace();
  const w = () => t().trends;
  const meant = () => period(props.range, today(), props.from, props.to);
  const last = () => addDays(meant().first, meant().count - 1);
  return (
    <>
      <Pick
        id="range"
        label={w().range}
        value={props.range}
        of={props.of ?? RANGES}
        name={(one) => w().ranges[one]}
        choose={(range) => props.choose(range === "range" ? { range, from: meant().first, to: last() } : { range, from: "", to: "" })}
      />
      <Show when={props.range === "range"}>
        <label>{w().from} <input type="date" id="from" value={meant().first} onChange={(event) => props.choose({ from: event.currentTarget.value })} /></label>
        <label>{w().to} <input type="date" id="to" min={meant().first} value={last()} onChange={(event) => props.choose({ to: event.currentTarget.value })} /></label>
      </Show>
    </>
  );
}
